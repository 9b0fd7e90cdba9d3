/* This script draws the filters: one group of choices per column that the server offers, with counts, and what is chosen as chips. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var open = {};

  function offered() {
    return (Mapapp.view && Mapapp.view.filters) || [];
  }

  function label(filter, value) {
    var found = (filter.values || []).filter(function (item) {
      return item.value === value;
    })[0];
    return found ? nameOf(filter, found) : Mapapp.symbols.classOf(filter.column, value).label;
  }

  /* A filter of one layer's own classes ("pipes.kind"), which the legend offers. */
  function own(column) {
    var layer = (Mapapp.view.layers || []).filter(function (item) {
      return Mapapp.legend.filterOf(item) === column;
    })[0];
    return {
      column: column,
      label: layer ? layer.title : column,
      values: layer
        ? Mapapp.symbols.ofLayer(layer.name).map(function (entry) {
            return { value: entry.members[0], label: entry.label };
          })
        : []
    };
  }

  function toggle(column, value) {
    var f = Mapapp.state.get().f;
    var now = f[column] || [];
    f[column] =
      now.indexOf(value) < 0
        ? now.concat(value)
        : now.filter(function (other) {
            return other !== value;
          });
    if (!f[column].length) delete f[column];
    Mapapp.state.set({ f: f });
  }

  /** The filters in words, for the facts, the print view and the share dialog: ["2021, 2022", "城关街道"]. */
  function words() {
    var f = Mapapp.state.get().f;
    return Object.keys(f)
      .sort()
      .map(function (column) {
        var filter =
          offered().filter(function (item) {
            return item.column === column;
          })[0] || own(column);
        return {
          column: column,
          label: filter.label || column,
          text: f[column]
            .map(function (value) {
              return label(filter, value);
            })
            .join(Mapapp.lang === "en" ? ", " : "、")
        };
      });
  }

  /* A compound without a finding is no unknown. */
  function nameOf(filter, item) {
    return filter.column === "rule" && item.value === "?" ? t("filters.no_finding") : item.label || t("unknown");
  }

  function choice(filter, item, chosen) {
    var by = Mapapp.summary && Mapapp.summary.by && Mapapp.summary.by[filter.column];
    // beside a value that this very filter leaves out a count would only say so again
    var number = by && (!chosen.length || chosen.indexOf(item.value) >= 0) ? by[item.value] || 0 : null;
    return el(
      "label",
      { "class": "check choice" },
      el("input", {
        type: "checkbox",
        checked: chosen.indexOf(item.value) >= 0,
        "data-column": filter.column,
        "data-value": item.value,
        on: {
          change: function () {
            toggle(filter.column, item.value);
          }
        }
      }),
      el("span", { "class": "choice-label" }, nameOf(filter, item)),
      el("span", { "class": "count" }, number === null ? "" : Mapapp.format.number(number))
    );
  }

  function group(filter) {
    var chosen = Mapapp.state.get().f[filter.column] || [];
    var unfold = open[filter.column] !== undefined ? open[filter.column] : chosen.length > 0;
    var id = "filter-" + filter.column;
    return el(
      "div",
      { "class": "filter" },
      el(
        "button",
        {
          type: "button",
          "class": "entry filter-head",
          "aria-expanded": String(unfold),
          "aria-controls": id,
          "data-filter": filter.column,
          on: {
            click: function () {
              open[filter.column] = !unfold;
              draw();
            }
          }
        },
        el("span", { "class": "entry-label" }, filter.label),
        chosen.length ? el("span", { "class": "badge" }, chosen.length) : null,
        Mapapp.dom.icon("chevron")
      ),
      el(
        "fieldset",
        { id: id, "class": "choices", hidden: !unfold },
        el("legend", { "class": "sr" }, filter.label),
        (filter.values || []).map(function (item) {
          return choice(filter, item, chosen);
        })
      )
    );
  }

  function chips() {
    var list = words();
    if (!list.length) return null;
    return el(
      "div",
      { "class": "chosen" },
      list.map(function (item) {
        return el(
          "button",
          {
            type: "button",
            "class": "tag",
            "aria-label": t("filters.remove", { name: item.label }),
            on: {
              click: function () {
                var f = Mapapp.state.get().f;
                delete f[item.column];
                Mapapp.state.set({ f: f });
              }
            }
          },
          el("span", {}, item.label, Mapapp.lang === "en" ? ": " : "：", item.text),
          Mapapp.dom.icon("close")
        );
      }),
      el(
        "button",
        { type: "button", "class": "button quiet", id: "filters-clear", on: { click: clear } },
        t("filters.clear")
      )
    );
  }

  function clear() {
    Mapapp.state.set({ f: {} });
  }

  function draw() {
    var root = document.getElementById("filters");
    if (!root) return;
    var active = document.activeElement;
    var mark =
      active && root.contains(active)
        ? [
            active.getAttribute("data-filter"),
            active.getAttribute("data-column"),
            active.getAttribute("data-value")
          ].join("|")
        : null;
    if (!Mapapp.view) {
      Mapapp.dom.clear(root);
      return;
    }
    var list = offered().filter(function (filter) {
      return filter.values && filter.values.length;
    });
    Mapapp.dom.fill(
      root,
      list.length ? el("div", { "class": "panel-head" }, el("h2", {}, t("filters.title"))) : null,
      chips(),
      list.map(group)
    );
    if (mark) {
      var again = Array.prototype.filter.call(root.querySelectorAll("button, input"), function (node) {
        return (
          [node.getAttribute("data-filter"), node.getAttribute("data-column"), node.getAttribute("data-value")].join(
            "|"
          ) === mark
        );
      })[0];
      if (again) again.focus();
    }
  }

  Mapapp.filters = { draw: draw, words: words, clear: clear };
})();
