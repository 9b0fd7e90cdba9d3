/* This script makes the legend of the sheet of paper: what is drawn, with counts, as large as it fits. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el;

  /* Paper has no room for thirty rules: findings are listed as they are drawn, by severity, with all their counts. */
  function levels() {
    var by = (Mapapp.summary && Mapapp.summary.by && Mapapp.summary.by["findings.rule"]) || {},
      rules = Mapapp.symbols.classes("rule");
    return Mapapp.symbols.classes("severity").map(function (level) {
      return {
        entry: level,
        n: rules
          .filter(function (rule) {
            return level.members.indexOf(rule.severity) >= 0;
          })
          .reduce(function (sum, rule) {
            return sum + (by[rule.value] || 0);
          }, 0)
      };
    });
  }

  function legendList() {
    var shown = Mapapp.legend.shown();
    return ((Mapapp.view && Mapapp.view.layers) || [])
      .filter(function (layer) {
        return shown.indexOf(layer.name) >= 0;
      })
      .map(function (layer) {
        var shape = Mapapp.legend.shapeOf(layer),
          single = Mapapp.symbols.ofLayer(layer.name)[0];
        var entries =
          layer.name === "findings"
            ? levels()
            : Mapapp.legend
                .entriesOf(layer)
                .filter(function (entry) {
                  return Mapapp.legend.classOn(layer, entry);
                })
                .map(function (entry) {
                  return { entry: entry, n: Mapapp.legend.columnOf(layer) ? Mapapp.legend.count(layer, entry) : null };
                });
        var relapse = Mapapp.legend.relapseOf(layer);
        if (relapse) entries = entries.concat({ entry: relapse.look, n: relapse.n });
        entries = entries.filter(function (item) {
          return item.n !== 0;
        });
        return el(
          "li",
          {},
          el("h3", {}, entries.length || !single ? null : Mapapp.symbols.swatch(single, shape), layer.title),
          entries.length
            ? el(
                "ul",
                {},
                entries.map(function (item) {
                  return el(
                    "li",
                    {},
                    Mapapp.symbols.swatch(item.entry, shape),
                    el("span", {}, item.entry.label),
                    item.n === null ? null : el("span", { "class": "count" }, item.n)
                  );
                })
              )
            : null
        );
      });
  }

  /* A legend that is cut off tells less than a small one. */
  function fitLegend(list) {
    var share = list.clientHeight / list.scrollHeight;
    if (!share || share >= 1) return;
    Array.prototype.forEach.call(list.children, function (item) {
      item.style.zoom = Math.max(0.5, Math.floor(share * 98) / 100);
    });
  }

  Mapapp.printLegend = { list: legendList, fit: fitLegend };
})();
