/* This script draws the layer tree: each layer is a switch, each class in it is a switch with its count of what is filtered now. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var FEW = 7,
    unfolded = {};

  var SHAPE = { polygon: "area", line: "line", point: "point" };
  /* Filters of these layers are filters of compounds, and go by the column alone; others name their layer. */
  var COMPOUNDS = ["compounds", "verdicts", "findings"];

  function shapeOf(layer) {
    return layer.name === "findings" ? "point" : SHAPE[layer.geometry] || "area"; // a finding is marked where it is, whatever it is about
  }

  /** The column a layer is coloured and counted by; null when it has one look. */
  function columnOf(layer) {
    return layer.class_column || null;
  }

  /** The name of that column in the address. */
  function filterOf(layer) {
    var column = columnOf(layer);
    return !column || COMPOUNDS.indexOf(layer.name) >= 0 ? column : layer.name + "." + column;
  }

  function layers() {
    return ((Mapapp.view && Mapapp.view.layers) || []).filter(function (layer) {
      return layer.tiles;
    });
  }

  /** The layers shown now: those of the address, else the server's own choice. */
  function shown() {
    var on = Mapapp.state.get().on;
    return (
      on ||
      layers()
        .filter(function (layer) {
          return layer.on;
        })
        .map(function (layer) {
          return layer.name;
        })
    );
  }

  function setShown(names) {
    var usual = layers()
      .filter(function (layer) {
        return layer.on;
      })
      .map(function (layer) {
        return layer.name;
      });
    var same = names.slice().sort().join() === usual.sort().join();
    Mapapp.state.set({ on: same ? null : names.length ? names : ["none"] });
  }

  function toggleLayer(name) {
    var now = shown().filter(function (other) {
      return other !== "none";
    });
    setShown(
      now.indexOf(name) < 0
        ? now.concat(name)
        : now.filter(function (other) {
            return other !== name;
          })
    );
  }

  /** Is this class let through by the filters? */
  function classOn(layer, entry) {
    var wanted = Mapapp.state.get().f[filterOf(layer)];
    return (
      !wanted ||
      entry.members.some(function (value) {
        return wanted.indexOf(value) >= 0;
      })
    );
  }

  function toggleClass(layer, entry, entries) {
    var on = entries.filter(function (other) {
      return classOn(layer, other) !== (other.value === entry.value);
    });
    var f = Mapapp.state.get().f,
      column = filterOf(layer);
    if (on.length === entries.length || !on.length) delete f[column];
    else
      f[column] = on.reduce(function (all, other) {
        return all.concat(stored(layer, other));
      }, []);
    Mapapp.state.set({ f: f });
  }

  /* The values of a class that a filter may name: those somebody has; the server refuses words that nobody has. */
  function stored(layer, entry) {
    var all = layer.values && layer.values[columnOf(layer)];
    var some = entry.members.filter(function (value) {
      return all ? all[value] : value !== "unknown";
    });
    return some.length ? some : entry.members.slice(0, 1);
  }

  /** Count of one class in the summary: what is filtered now; null while it is not known. */
  function count(layer, entry) {
    var column = columnOf(layer),
      by = Mapapp.summary && Mapapp.summary.by;
    by = by && (by[layer.name + "." + column] || by[column]);
    return by ? Mapapp.symbols.countIn(Mapapp.symbols.ofLayer(layer.name), entry, by) : null;
  }

  function layerCount(layer) {
    var summary = Mapapp.summary;
    if (!summary) return null;
    if (summary.layers && layer.name in summary.layers) return summary.layers[layer.name];
    if (layer.name === "compounds") return summary.totals && summary.totals.compounds;
    return layer.count;
  }

  function show(number) {
    return number === null || number === undefined
      ? el("span", { "class": "count skeleton" }, "00")
      : el("span", { "class": "count" }, Mapapp.format.number(number));
  }

  function entryRow(layer, entry, entries) {
    var look = Mapapp.symbols.swatch(entry, shapeOf(layer)),
      number = count(layer, entry);
    if (!columnOf(layer))
      return el("li", { "class": "entry still" }, look, el("span", { "class": "entry-label" }, entry.label));
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          "class": "entry",
          role: "switch",
          "aria-checked": String(classOn(layer, entry)),
          "data-column": filterOf(layer),
          "data-value": entry.value,
          title: entry.why || null,
          on: {
            click: function () {
              toggleClass(layer, entry, entries);
            }
          }
        },
        look,
        el("span", { "class": "entry-label" }, entry.label),
        show(number)
      )
    );
  }

  /* A class that nothing falls in is left out: an empty legend line says nothing. */
  function entriesOf(layer) {
    var list = Mapapp.symbols.ofLayer(layer.name),
      all = layer.values && layer.values[columnOf(layer)];
    if (list.length < 2) return [];
    return all
      ? list.filter(function (entry) {
          return Mapapp.symbols.countIn(list, entry, all) > 0;
        })
      : list;
  }

  /* A relapse is an outline beside the status, so it has a line of its own below the statuses: a switch that shows the
     relapsed ones alone. Without a relapse there is no line. */
  function relapseOf(layer) {
    var look = layer.name === "compounds" ? Mapapp.symbols.classes("relapses")[0] : null;
    var some = ((look && Mapapp.view.filters) || []).some(function (filter) {
      return (
        filter.column === "relapsed" &&
        filter.values.some(function (item) {
          return String(item.value) === "true";
        })
      );
    });
    if (!some) return null;
    var by = Mapapp.summary && Mapapp.summary.by && Mapapp.summary.by.relapsed;
    return { look: look, n: by ? by["true"] || 0 : null };
  }

  function relapseRow(layer) {
    var found = relapseOf(layer);
    if (!found) return null;
    var on = Mapapp.state.get().f.relapsed;
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          "class": "entry",
          "aria-pressed": String(Boolean(on)),
          "data-column": "relapsed",
          "data-value": "relapsed",
          on: {
            click: function () {
              var f = Mapapp.state.get().f;
              if (f.relapsed) delete f.relapsed;
              else f.relapsed = ["true"];
              Mapapp.state.set({ f: f });
            }
          }
        },
        Mapapp.symbols.swatch(found.look, "area"),
        el("span", { "class": "entry-label" }, found.look.label),
        show(found.n)
      )
    );
  }

  function group(layer) {
    var on = shown().indexOf(layer.name) >= 0;
    var entries = entriesOf(layer),
      single = Mapapp.symbols.ofLayer(layer.name)[0];
    return el(
      "li",
      { "class": "group" + (on ? "" : " off"), "data-layer": layer.name },
      el(
        "button",
        {
          type: "button",
          "class": "entry head",
          role: "switch",
          "aria-checked": String(on),
          on: {
            click: function () {
              toggleLayer(layer.name);
            }
          }
        },
        el("span", { "class": "switch", "aria-hidden": "true" }),
        entries.length || !single ? null : Mapapp.symbols.swatch(single, shapeOf(layer)),
        el("span", { "class": "entry-label" }, layer.title),
        show(layerCount(layer))
      ),
      on && entries.length
        ? el(
            "ul",
            { "aria-label": layer.title },
            entries.map(function (entry, i) {
              return i < FEW || unfolded[layer.name] ? entryRow(layer, entry, entries) : null;
            }),
            entries.length > FEW && !unfolded[layer.name]
              ? el(
                  "li",
                  {},
                  el(
                    "button",
                    {
                      type: "button",
                      "class": "entry more",
                      "data-value": "more",
                      on: {
                        click: function () {
                          unfolded[layer.name] = true;
                          draw();
                        }
                      }
                    },
                    t("layers.more", { n: entries.length - FEW })
                  )
                )
              : null,
            relapseRow(layer)
          )
        : null
    );
  }

  function draw() {
    var root = document.getElementById("legend");
    if (!root) return;
    var focus = document.activeElement && root.contains(document.activeElement) ? keyOf(document.activeElement) : null;
    var head = el(
      "div",
      { "class": "panel-head" },
      el("h2", {}, t("layers.title")),
      el(
        "button",
        {
          type: "button",
          "class": "button quiet fold",
          "aria-label": t("panel.fold"),
          "aria-expanded": "true",
          on: { click: Mapapp.sheet.foldLeft }
        },
        Mapapp.dom.icon("chevron")
      )
    );
    if (!Mapapp.view) {
      Mapapp.dom.fill(
        root,
        head,
        el("div", { "class": "bones", "aria-hidden": "true" }, el("i"), el("i"), el("i"), el("i"), el("i"))
      );
      return;
    }
    var list = layers();
    Mapapp.dom.fill(
      root,
      head,
      list.length ? el("ul", { "class": "legend" }, list.map(group)) : el("p", { "class": "empty" }, t("layers.none")),
      list.some(function (layer) {
        return layer.name === "pipes" && layer.count;
      }) || Mapapp.config.mode === "share"
        ? null
        : el("p", { "class": "empty" }, t("empty.pipes"), " ", el("a", { href: "/import" }, t("empty.import")))
    );
    if (focus) {
      var again = Array.prototype.filter.call(root.querySelectorAll("button"), function (node) {
        return keyOf(node) === focus;
      })[0];
      if (again) again.focus();
    }
  }

  function keyOf(node) {
    var layer = node.closest("[data-layer]");
    return (layer ? layer.getAttribute("data-layer") : "") + "/" + (node.getAttribute("data-value") || "");
  }

  Mapapp.legend = {
    draw: draw,
    shown: shown,
    classOn: classOn,
    count: count,
    entriesOf: entriesOf,
    relapseOf: relapseOf,
    columnOf: columnOf,
    filterOf: filterOf,
    shapeOf: shapeOf
  };
})();
