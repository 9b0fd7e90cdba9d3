/* This script shows what is filtered as a real table: for those who do not see the map, and for reading line by line. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var PAGE = 50;
  var view = { open: false, layer: "compounds", sort: null, down: false, offset: 0 };
  var last = null;

  /* Columns worth a place, per layer; all others are one click away in the card. */
  var SHOWN = {
    compounds: [
      "name",
      "status",
      "programme_year",
      "street",
      "verdict",
      "households",
      "buildings",
      "floor_area_m2",
      "invest_total_wan"
    ],
    findings: ["rule", "severity", "message", "layer", "feature_id", "status"],
    pipes: ["pipe_id", "kind", "diameter_mm", "material", "length_m", "status", "road"],
    manholes: ["node_id", "kind", "type", "ground_elev_m", "depth_m", "found"]
  };

  function layers() {
    return ((Mapapp.view && Mapapp.view.layers) || []).filter(function (layer) {
      return layer.table !== false;
    });
  }

  function toggle(want) {
    view.open = want === undefined ? !view.open : want;
    document.getElementById("table").classList.toggle("open", view.open);
    document.body.classList.toggle("table-open", view.open);
    frame();
    if (view.open) load();
  }

  function frame() {
    var root = document.getElementById("table");
    var names = layers();
    var total =
      last && view.open
        ? last.total
        : Mapapp.summary && Mapapp.summary.totals && view.layer === "compounds"
          ? Mapapp.summary.totals.compounds
          : null;
    Mapapp.dom.fill(
      root,
      el(
        "div",
        { "class": "table-head" },
        el(
          "button",
          {
            type: "button",
            "class": "button quiet table-toggle",
            id: "table-toggle",
            "aria-expanded": String(view.open),
            "aria-controls": "table-body",
            on: {
              click: function () {
                toggle();
                focus("table-toggle");
              }
            }
          },
          Mapapp.dom.icon("table"),
          t("table.title"),
          total === null || total === undefined
            ? null
            : el("span", { "class": "count" }, t("table.rows", { n: Mapapp.format.number(total) })),
          Mapapp.dom.icon("chevron")
        ),
        view.open && names.length
          ? el(
              "label",
              { "class": "inline" },
              el("span", { "class": "sr" }, t("table.layer")),
              el(
                "select",
                {
                  "class": "input",
                  id: "table-layer",
                  on: {
                    change: function (event) {
                      view.layer = event.target.value;
                      view.sort = null;
                      view.offset = 0;
                      last = null;
                      load();
                    }
                  }
                },
                names.map(function (layer) {
                  return el("option", { value: layer.name, selected: layer.name === view.layer }, layer.title);
                })
              )
            )
          : null,
        view.open ? el("span", { "class": "pager", id: "pager" }) : null
      ),
      el("div", {
        "class": "table-body scroll",
        id: "table-body",
        tabindex: view.open ? "0" : null,
        role: "region",
        "aria-label": t("table.title"),
        hidden: !view.open
      })
    );
  }

  function focus(id) {
    var node = document.getElementById(id);
    if (node) node.focus();
  }

  function load() {
    if (!view.open || !Mapapp.view) return;
    var body = document.getElementById("table-body"),
      names = layers().map(function (layer) {
        return layer.name;
      });
    if (!names.length) {
      Mapapp.dom.fill(
        body,
        el(
          "p",
          { "class": "empty" },
          t("empty.compounds"),
          " ",
          Mapapp.config.mode === "share" ? null : el("a", { href: "/import" }, t("empty.import"))
        )
      );
      return;
    }
    if (names.indexOf(view.layer) < 0) view.layer = names[0];
    if (!last)
      Mapapp.dom.fill(body, el("div", { "class": "bones", "aria-hidden": "true" }, el("i"), el("i"), el("i"), el("i")));
    var sort = view.sort ? (view.down ? "-" : "") + view.sort : null;
    Mapapp.api
      .get(
        "/features/" +
          encodeURIComponent(view.layer) +
          Mapapp.state.query({ sort: sort, offset: view.offset, limit: PAGE }),
        "table"
      )
      .then(
        function (page) {
          last = page;
          draw();
        },
        function (error) {
          if (Mapapp.api.aborted(error)) return;
          Mapapp.dom.fill(
            body,
            el("p", { "class": "notice error", role: "alert" }, error.message),
            el("button", { type: "button", "class": "button", on: { click: load } }, t("retry"))
          );
        }
      );
  }

  function columns(page) {
    var wanted = SHOWN[view.layer];
    var all = page.columns || [];
    if (!wanted) return all.slice(0, 8);
    var list = wanted
      .map(function (name) {
        return all.filter(function (column) {
          return column.name === name;
        })[0];
      })
      .filter(Boolean);
    return list.length ? list : all.slice(0, 8);
  }

  function numeric(column) {
    return column.kind === "float" || (column.kind === "int" && column.name !== "programme_year");
  }

  function headCell(column) {
    var sorted = view.sort === column.name;
    return el(
      "th",
      {
        scope: "col",
        "class": numeric(column) ? "num" : null,
        "aria-sort": sorted ? (view.down ? "descending" : "ascending") : "none"
      },
      el(
        "button",
        {
          type: "button",
          "class": "sort",
          "data-sort": column.name,
          on: {
            click: function () {
              var again = view.sort === column.name; // now, not when this heading was drawn
              if (again && view.down) {
                view.sort = null;
                view.down = false;
              } else {
                view.down = again;
                view.sort = column.name;
              }
              view.offset = 0;
              load();
            }
          }
        },
        column.label || column.name,
        column.unit ? el("span", { "class": "unit" }, unit(column)) : null,
        el("span", { "class": "arrow", "aria-hidden": "true" }, sorted ? (view.down ? "↓" : "↑") : "")
      )
    );
  }

  function unit(column) {
    if (column.name === "floor_area_m2" && Mapapp.lang !== "en") return "万㎡";
    return Mapapp.format.unit(column.unit);
  }

  function cell(column, row) {
    var value = row[column.name];
    if (Mapapp.format.missing(value))
      return el("td", { "class": numeric(column) ? "num muted" : "muted" }, t("unknown_short"));
    if (
      ["status", "verdict", "rule", "kind", "severity", "facility"].indexOf(column.name) >= 0 &&
      Mapapp.symbols.classes(column.name === "status" && view.layer !== "compounds" ? "" : column.name).length
    ) {
      return el(
        "td",
        {},
        Mapapp.symbols.chip(
          column.name,
          value,
          column.name === "kind" ? "line" : column.name === "rule" || column.name === "verdict" ? "point" : "area"
        )
      );
    }
    if (view.layer === "findings" && column.name === "status") return el("td", {}, t("finding." + value));
    if (column.name === "floor_area_m2")
      return el("td", { "class": "num" }, Mapapp.format.quantity("area_m2", value).value);
    if (numeric(column))
      return el("td", { "class": "num" }, Mapapp.format.number(value, column.kind === "int" ? 0 : 2));
    var labels = row._labels && row._labels[column.name];
    return el("td", {}, labels || String(value));
  }

  function bodyRow(list, row) {
    var sel = Mapapp.state.get().sel;
    var id = row._id !== undefined ? row._id : row[last.key];
    var here = Boolean(sel && sel.layer === view.layer && sel.id === String(id));
    var choose = function () {
      Mapapp.app.select(view.layer, String(id), { fly: true });
    };
    return el(
      "tr",
      { "class": here ? "here" : null, "aria-selected": String(here), "data-id": id, on: { click: choose } },
      list.map(function (column, i) {
        if (i > 0) return cell(column, row);
        var made = Mapapp.format.missing(row[column.name]) ? el("td", {}, String(id)) : cell(column, row);
        return el(
          "th",
          { scope: "row" },
          el(
            "button",
            {
              type: "button",
              "class": "link",
              on: {
                click: function (event) {
                  event.stopPropagation();
                  choose();
                }
              }
            },
            Array.prototype.slice.call(made.childNodes)
          )
        );
      })
    );
  }

  function draw() {
    var root = document.getElementById("table");
    var body = document.getElementById("table-body");
    if (!body || !last) return;
    var active = document.activeElement;
    var mark = active && root.contains(active) ? active.getAttribute("data-sort") : null;
    var list = columns(last);
    var rows = last.rows || [];
    Mapapp.dom.fill(
      body,
      rows.length
        ? el(
            "table",
            { "class": "grid data", "aria-rowcount": last.total },
            el(
              "caption",
              { "class": "sr" },
              t("table.caption", { n: last.total, date: Mapapp.format.date(Mapapp.summary && Mapapp.summary.as_of) })
            ),
            el("thead", {}, el("tr", {}, list.map(headCell))),
            el("tbody", {}, rows.map(bodyRow.bind(null, list)))
          )
        : el("p", { "class": "empty" }, t("empty.filtered"))
    );
    var pager = document.getElementById("pager");
    if (pager) {
      var to = Math.min(view.offset + rows.length, last.total);
      var step = function (by) {
        return function () {
          view.offset = Math.max(0, view.offset + by);
          load();
          body.scrollTop = 0;
        };
      };
      Mapapp.dom.fill(
        pager,
        el(
          "span",
          { "class": "muted" },
          last.total ? t("table.range", { from: view.offset + 1, to: to, n: Mapapp.format.number(last.total) }) : ""
        ),
        el(
          "button",
          {
            type: "button",
            "class": "button quiet back",
            "aria-label": t("table.before"),
            disabled: view.offset === 0,
            on: { click: step(-PAGE) }
          },
          Mapapp.dom.icon("chevron")
        ),
        el(
          "button",
          {
            type: "button",
            "class": "button quiet forth",
            "aria-label": t("table.after"),
            disabled: to >= last.total,
            on: { click: step(PAGE) }
          },
          Mapapp.dom.icon("chevron")
        )
      );
    }
    if (mark) {
      var again = root.querySelector('[data-sort="' + mark + '"]');
      if (again) again.focus();
    }
  }

  /** Filters or snapshot changed: start again at the first row. */
  function refresh() {
    view.offset = 0;
    if (!view.open) {
      frame();
      return;
    }
    load();
  }

  /** The selection changed elsewhere: mark its row, and bring it into view when it is on this page. */
  function mark() {
    if (!view.open || !last) return;
    draw();
    var here = document.querySelector("#table tr.here");
    if (here && here.scrollIntoView) here.scrollIntoView({ block: "nearest" });
  }

  Mapapp.table = {
    frame: frame,
    toggle: toggle,
    refresh: refresh,
    mark: mark,
    isOpen: function () {
      return view.open;
    }
  };
})();
