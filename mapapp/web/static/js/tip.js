/* This script says in two lines what lies under the pointer. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});

  /** What the tip says of a hit: {title, sub}. */
  function describe(hit) {
    var p = hit.properties || {},
      layer =
        Mapapp.view.layers.filter(function (one) {
          return one.name === hit.layer;
        })[0] || {};
    var many = hit.count || p.count;
    if (many > 1) return { title: Mapapp.t("map.many", { n: many }), sub: layer.title };
    var column = Mapapp.legend.columnOf(layer),
      value = column ? p[column] : undefined;
    var word = column ? Mapapp.symbols.classOf(column === "class" ? "streets" : column, value) : null;
    var sub = [
      layer.title === p.name ? "" : layer.title,
      word ? word.label : "",
      p.diameter_mm ? "DN" + Mapapp.format.number(p.diameter_mm) : "",
      p.street || ""
    ];
    if (hit.layer === "compounds" && p.verdict) sub.push(Mapapp.symbols.classOf("verdict", p.verdict).label);
    if (hit.layer === "findings") return { title: word.label, sub: layer.title };
    return { title: p.name || String(hit.id), sub: sub.filter(Boolean).join(" · ") };
  }

  Mapapp.tip = { describe: describe };
})();
