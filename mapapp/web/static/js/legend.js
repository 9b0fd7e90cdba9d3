/* This script draws the layer tree: each layer is a switch, each class in it is a switch with its count of what is filtered now. */
(function () {
  "use strict";
  var Mapapp = window.Mapapp = window.Mapapp || {};
  var el = Mapapp.dom.el, t = Mapapp.t;

  /* Which column a layer is coloured by: its classes become the entries below it. */
  var COLUMN = { compounds: "status", pipes: "kind", findings: "rule", verdicts: "verdict", outlets: "facility" };
  var SHAPE = { polygon: "area", line: "line", point: "point" };

  function layers() {
    return (Mapapp.view && Mapapp.view.layers) || [];
  }

  /** The layers shown now: those of the address, else the server's own choice. */
  function shown() {
    var on = Mapapp.state.get().on;
    return on || layers().filter(function (layer) { return layer.on; }).map(function (layer) { return layer.name; });
  }

  function setShown(names) {
    var usual = layers().filter(function (layer) { return layer.on; }).map(function (layer) { return layer.name; });
    var same = names.slice().sort().join() === usual.sort().join();
    Mapapp.state.set({ on: same ? null : (names.length ? names : ["none"]) });
  }

  function toggleLayer(name) {
    var now = shown().filter(function (other) { return other !== "none"; });
    setShown(now.indexOf(name) < 0 ? now.concat(name) : now.filter(function (other) { return other !== name; }));
  }

  /** Is this class of the column let through by the filters? */
  function classOn(column, entry) {
    var wanted = Mapapp.state.get().f[column];
    if (!wanted) return true;
    return [entry.value].concat(entry.members || []).some(function (value) { return wanted.indexOf(value) >= 0; });
  }

  function toggleClass(column, entry, entries) {
    var on = entries.filter(function (other) { return classOn(column, other) !== (other.value === entry.value); });
    var f = Mapapp.state.get().f;
    if (on.length === entries.length || !on.length) delete f[column];
    else f[column] = on.map(function (other) { return other.value; });
    Mapapp.state.set({ f: f });
  }

  /** Count of one class in the summary: what is filtered now; null while it is not known. */
  function count(layer, column, entry) {
    var summary = Mapapp.summary;
    if (!summary) return null;
    var by = summary.by && summary.by[column];
    if (!by) return null;
    return [entry.value].concat(entry.members || []).filter(function (value, i, all) { return all.indexOf(value) === i; })
      .reduce(function (sum, value) { return sum + (by[value] || 0); }, 0);
  }

  function layerCount(layer) {
    var summary = Mapapp.summary;
    if (!summary) return null;
    if (summary.layers && layer.name in summary.layers) return summary.layers[layer.name];
    if (layer.name === "compounds") return summary.totals && summary.totals.compounds;
    return layer.count;
  }

  function show(number) {
    return number === null || number === undefined ? el("span", { "class": "count skeleton" }, "00") : el("span", { "class": "count" }, Mapapp.format.number(number));
  }

  function entryRow(layer, column, entry, entries) {
    var on = classOn(column, entry);
    var number = count(layer, column, entry);
    return el("li", {}, el("button", {
      type: "button", "class": "entry", role: "switch", "aria-checked": String(on),
      "data-column": column, "data-value": entry.value,
      title: entry.why || null,
      on: { click: function () { toggleClass(column, entry, entries); } }
    }, Mapapp.symbols.swatch(entry, entry.shape || SHAPE[layer.geometry] || "area"), el("span", { "class": "entry-label" }, entry.label), show(number)));
  }

  /* A class nobody has is left out, unless a filter names it: an empty legend line says nothing. */
  function used(layer, column, entry) {
    var all = layer.values && layer.values[column];
    if (!all) return true;
    return Boolean(Mapapp.state.get().f[column]) && classOn(column, entry) ||
      [entry.value].concat(entry.members || []).some(function (value) { return all[value]; });
  }

  function group(layer) {
    var on = shown().indexOf(layer.name) >= 0;
    var column = layer.class_column || COLUMN[layer.name];
    var entries = column ? Mapapp.symbols.classes(column).filter(function (entry) { return used(layer, column, entry); }) : [];
    var plain = { label: layer.title, letter: layer.letter, color: layer.color, dash: layer.dash };
    return el("li", { "class": "group" + (on ? "" : " off"), "data-layer": layer.name },
      el("button", { type: "button", "class": "entry head", role: "switch", "aria-checked": String(on), on: { click: function () { toggleLayer(layer.name); } } },
        el("span", { "class": "switch", "aria-hidden": "true" }),
        entries.length ? null : Mapapp.symbols.swatch(layer.swatch || plain, SHAPE[layer.geometry] || "area"),
        el("span", { "class": "entry-label" }, layer.title), show(layerCount(layer))),
      on && entries.length ? el("ul", { "aria-label": layer.title }, entries.map(function (entry) { return entryRow(layer, column, entry, entries); })) : null);
  }

  function draw() {
    var root = document.getElementById("legend");
    if (!root) return;
    var focus = document.activeElement && root.contains(document.activeElement) ? keyOf(document.activeElement) : null;
    var head = el("div", { "class": "panel-head" }, el("h2", {}, t("layers.title")),
      el("button", { type: "button", "class": "button quiet fold", "aria-label": t("panel.fold"), "aria-expanded": "true", on: { click: Mapapp.sheet.foldLeft } }, Mapapp.dom.icon("chevron")));
    if (!Mapapp.view) {
      Mapapp.dom.fill(root, head, el("div", { "class": "bones", "aria-hidden": "true" }, el("i"), el("i"), el("i"), el("i"), el("i")));
      return;
    }
    var list = layers();
    Mapapp.dom.fill(root, head, list.length ? el("ul", { "class": "legend" }, list.map(group)) : el("p", { "class": "empty" }, t("layers.none")),
      list.some(function (layer) { return layer.name === "pipes"; }) || Mapapp.config.mode === "share" ? null : el("p", { "class": "empty" }, t("empty.pipes"), " ", el("a", { href: "/import" }, t("empty.import"))));
    if (focus) {
      var again = Array.prototype.filter.call(root.querySelectorAll("button"), function (node) { return keyOf(node) === focus; })[0];
      if (again) again.focus();
    }
  }

  function keyOf(node) {
    var layer = node.closest("[data-layer]");
    return (layer ? layer.getAttribute("data-layer") : "") + "/" + (node.getAttribute("data-value") || "");
  }

  Mapapp.legend = { draw: draw, shown: shown, classOn: classOn, columnOf: function (layer) { return layer.class_column || COLUMN[layer.name]; }, shapeOf: function (layer) { return SHAPE[layer.geometry] || "area"; } };
})();
