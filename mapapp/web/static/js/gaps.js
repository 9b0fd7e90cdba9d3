/* This script lists the sewer gaps compound by compound with evidence, filtered by verdict, street and year, and exports them. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var GAPS = ["not_connected", "no_main", "dangling", "wrong_outlet", "no_gravity", "inlet_unknown", "no_data"];
  var known = {}; // the counts without any filter: what there is to choose from

  function chosen() {
    return Mapapp.state.get().f;
  }

  function set(column, values) {
    var f = chosen();
    if (values.length) f[column] = values;
    else delete f[column];
    Mapapp.state.set({ f: f });
  }

  function there() {
    return GAPS.filter(function (verdict) {
      return known.verdict && known.verdict[verdict];
    });
  }

  /** The query of what is listed: the chosen verdicts, or every gap that somebody has. */
  function query(extra) {
    var f = Object.assign({}, chosen());
    if (!f.verdict) f.verdict = there();
    var state = { at: null, on: null, f: f, sel: null, as: Mapapp.state.get().as, lang: Mapapp.lang };
    return Mapapp.state.address(state) + (extra ? "&" + extra : "");
  }

  function verdictBar() {
    var now = chosen().verdict || [];
    return el(
      "div",
      { "class": "gap-bar", role: "group", "aria-label": t("gaps.verdict") },
      there().map(function (verdict) {
        var on = now.indexOf(verdict) >= 0;
        return el(
          "button",
          {
            type: "button",
            "aria-pressed": String(on),
            "data-verdict": verdict,
            on: {
              click: function () {
                set(
                  "verdict",
                  on
                    ? now.filter(function (v) {
                        return v !== verdict;
                      })
                    : now.concat(verdict)
                );
              }
            }
          },
          Mapapp.symbols.chip("verdict", verdict, "area"),
          el("span", { "class": "count" }, known.verdict[verdict])
        );
      })
    );
  }

  function choose(column, label) {
    var filter = (Mapapp.view.filters || []).filter(function (item) {
      return item.column === column;
    })[0];
    var values = filter
      ? filter.values
      : Object.keys(known[column] || {}).map(function (value) {
          return { value: value, label: value === "?" ? t("unknown") : value };
        });
    var now = (chosen()[column] || [""])[0];
    if (!values.length) return null;
    return el(
      "label",
      { "class": "field" },
      el("span", {}, label),
      el(
        "select",
        {
          id: "gaps-" + column,
          on: {
            change: function (event) {
              set(column, event.target.value ? [event.target.value] : []);
            }
          }
        },
        el("option", { value: "" }, t("gaps.any")),
        values.map(function (item) {
          return el("option", { value: item.value, selected: item.value === now }, item.label);
        })
      )
    );
  }

  function head() {
    Mapapp.dom.fill(
      document.getElementById("gaps-filters"),
      verdictBar(),
      choose("street", t("gaps.street")),
      choose("year", t("gaps.year"))
    );
    Mapapp.dom.fill(
      document.getElementById("gaps-export"),
      ["xlsx", "csv", "geojson"].map(function (kind) {
        return el(
          "a",
          { "class": "button", href: Mapapp.api.base() + "/export/compounds." + kind + query(), download: true },
          t("gaps.export"),
          " .",
          kind
        );
      })
    );
  }

  function row(item) {
    var lines = Mapapp.about.lines(item.evidence || "");
    return el(
      "tr",
      {},
      el(
        "th",
        { scope: "row" },
        el("a", { href: "/compounds/" + encodeURIComponent(item._id) }, item.name || item._id),
        el("small", { "class": "muted" }, [item.street, item.programme_year].filter(Boolean).join(" · "))
      ),
      el("td", {}, Mapapp.symbols.chip("verdict", item.verdict, "area")),
      el(
        "td",
        {},
        lines.length
          ? el(
              "ul",
              { "class": "evidence" },
              lines.slice(0, 3).map(function (line) {
                return el("li", {}, line);
              })
            )
          : el("span", { "class": "muted" }, t("unknown_short"))
      ),
      el(
        "td",
        { "class": "num", "data-label": t("gaps.distance") },
        Mapapp.format.missing(item.distance_m) ? t("unknown_short") : Mapapp.format.words("length_m", item.distance_m)
      ),
      el("td", { "class": "num", "data-label": t("gaps.households") }, Mapapp.format.number(item.households)),
      el(
        "td",
        {},
        el(
          "a",
          {
            href:
              "/?sel=compounds:" +
              encodeURIComponent(item._id) +
              (item._at ? "&at=17/" + item._at[1].toFixed(5) + "/" + item._at[0].toFixed(5) : "")
          },
          t("compound.on_map")
        )
      )
    );
  }

  function load() {
    var root = document.getElementById("gaps");
    head();
    if (!there().length) {
      Mapapp.dom.clear(document.getElementById("gaps-export"));
      Mapapp.dom.fill(
        root,
        el(
          "p",
          { "class": "empty card" },
          t(known.verdict ? "gaps.none" : "gaps.unaudited"),
          " ",
          known.verdict ? null : el("a", { href: "/import" }, t("empty.import"))
        )
      );
      return;
    }
    Mapapp.api.get("/features/compounds" + query("limit=1000"), "gaps").then(function (page) {
      page.rows.sort(function (a, b) {
        return GAPS.indexOf(a.verdict) - GAPS.indexOf(b.verdict);
      }); // most certain first, unknown last
      Mapapp.dom.fill(
        root,
        el(
          "p",
          { "class": "small muted" },
          t("gaps.count", { n: page.total }),
          " · ",
          t("as_of", { date: Mapapp.format.date(page.as_of) })
        ),
        page.rows.length
          ? el(
              "div",
              { "class": "scroll" },
              el(
                "table",
                { "class": "grid gap-table" },
                el(
                  "thead",
                  {},
                  el(
                    "tr",
                    {},
                    [
                      ["compound", ""],
                      ["verdict", ""],
                      ["evidence", ""],
                      ["distance", "num"],
                      ["households", "num"]
                    ].map(function (item) {
                      return el("th", { scope: "col", "class": item[1] }, t("gaps." + item[0]));
                    }),
                    el("th", { scope: "col" }, el("span", { "class": "sr" }, t("compound.on_map")))
                  )
                ),
                el("tbody", {}, page.rows.map(row))
              )
            )
          : el("p", { "class": "empty card" }, t("empty.filtered"))
      );
      Mapapp.dom.say(t("gaps.count", { n: page.total }));
    }, failed);
  }

  function failed(error) {
    if (Mapapp.api.aborted(error)) return;
    Mapapp.dom.fill(
      document.getElementById("gaps"),
      el("p", { "class": "notice error", role: "alert" }, error.message),
      el("button", { type: "button", "class": "button", on: { click: load } }, t("retry"))
    );
  }

  function start() {
    Mapapp.config = Mapapp.dom.block("config") || {};
    document.getElementById("gaps-filters").addEventListener("submit", function (event) {
      event.preventDefault();
    });
    Mapapp.state.on(load);
    Promise.all([Mapapp.api.get("/view?lang=" + Mapapp.lang), Mapapp.api.get("/summary?lang=" + Mapapp.lang)]).then(
      function (both) {
        Mapapp.view = both[0];
        known = both[1].by || {};
        load();
      },
      failed
    );
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
