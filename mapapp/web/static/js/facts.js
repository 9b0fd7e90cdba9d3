/* This script writes the facts of what is filtered now: counts and totals with their units and the date they hold for. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;

  /* Verdicts that say "we do not know": neither a gap nor a connection, and counted apart. */
  var UNKNOWN = ["inlet_unknown", "no_data", "?"];

  function unknown(summary) {
    var by = (summary.by && summary.by.verdict) || {};
    return UNKNOWN.reduce(function (sum, verdict) {
      return sum + (by[verdict] || 0);
    }, 0);
  }

  function fact(kind, value, name, missing) {
    if (value === undefined) return null;
    var q = Mapapp.format.quantity(kind, value);
    if (q.unit.toLowerCase() === name.toLowerCase()) q.unit = ""; // in English the heading has said it
    return el(
      "div",
      { "class": "fact" },
      el("dt", {}, name),
      el(
        "dd",
        {},
        el("b", {}, q.value),
        " ",
        el("span", { "class": "unit" }, q.unit),
        missing ? el("small", { "class": "muted" }, t("facts.missing", { n: missing })) : null
      )
    );
  }

  function bar(summary) {
    var by = summary.by && summary.by.status;
    if (!by) return null;
    var entries = Mapapp.symbols
      .classes("status")
      .map(function (entry) {
        return { entry: entry, n: Mapapp.symbols.countIn(Mapapp.symbols.classes("status"), entry, by) };
      })
      .filter(function (item) {
        return item.n > 0;
      });
    var total = entries.reduce(function (sum, item) {
      return sum + item.n;
    }, 0);
    if (!total) return null;
    return el(
      "figure",
      { "class": "status-bar" },
      el("figcaption", {}, t("facts.by_status")),
      el(
        "div",
        { "class": "bar-track", "aria-hidden": "true" },
        entries.map(function (item) {
          var hatched = item.entry.pattern === "hatch" || !/^#/.test(item.entry.color || "");
          return el(
            "span",
            {
              "class": hatched ? "hatched" : "",
              css: {
                "flex-grow": item.n,
                "background-color": hatched ? "" : item.entry.color,
                color: hatched ? "" : Mapapp.symbols.inkOn(item.entry.color)
              }
            },
            item.n / total > 0.08 ? item.entry.letter : ""
          );
        })
      ),
      el(
        "ul",
        { "class": "bar-list" },
        entries.map(function (item) {
          return el(
            "li",
            {},
            Mapapp.symbols.swatch(item.entry, "area"),
            el("span", { "class": "entry-label" }, item.entry.label),
            el("span", { "class": "muted" }, Math.round((100 * item.n) / total) + "%"),
            el("span", { "class": "count" }, Mapapp.format.number(item.n))
          );
        })
      )
    );
  }

  function draw(failure) {
    var root = document.getElementById("facts");
    if (!root) return;
    var summary = Mapapp.summary;
    if (failure) {
      Mapapp.dom.fill(
        root,
        el("div", { "class": "panel-head" }, el("h2", {}, t("facts.title"))),
        el("p", { "class": "notice error", role: "alert" }, failure.message),
        el(
          "button",
          {
            "class": "button",
            type: "button",
            on: {
              click: function () {
                Mapapp.app.refresh();
              }
            }
          },
          t("retry")
        )
      );
      return;
    }
    if (!summary) {
      Mapapp.dom.fill(
        root,
        el("div", { "class": "panel-head" }, el("h2", {}, t("facts.title"))),
        el("div", { "class": "bones tall", "aria-hidden": "true" }, el("i"), el("i"), el("i"), el("i"))
      );
      return;
    }
    var totals = summary.totals || {},
      unknown = summary.missing || {};
    var words = Mapapp.filters.words();
    var n = totals.compounds;
    Mapapp.dom.fill(
      root,
      el(
        "div",
        { "class": "panel-head" },
        el(
          "h2",
          {},
          t(words.length ? "facts.filtered" : Mapapp.config.mode === "share" ? "facts.shared" : "facts.all")
        ),
        el("span", { "class": "muted small" }, t("as_of", { date: Mapapp.format.date(summary.as_of) }))
      ),
      !n
        ? words.length
          ? el(
              "div",
              { "class": "empty" },
              el("p", {}, t("empty.filtered")),
              el(
                "button",
                { type: "button", "class": "button", on: { click: Mapapp.filters.clear } },
                t("filters.clear")
              )
            )
          : el(
              "p",
              { "class": "empty" },
              t("empty.compounds"),
              " ",
              Mapapp.config.mode === "share" ? null : el("a", { href: "/import" }, t("empty.import"))
            )
        : null,
      el(
        "dl",
        { "class": "facts" },
        fact("compounds", n, t("facts.compounds")),
        fact("households", totals.households, t("facts.households"), unknown.households),
        fact("area_m2", totals.floor_area_m2, t("facts.area"), unknown.floor_area_m2),
        fact("buildings", totals.buildings, t("facts.buildings"), unknown.buildings),
        fact("money_wan", totals.invest_total_wan, t("facts.money"), unknown.invest_total_wan),
        gapFact(summary)
      ),
      bar(summary),
      summary.note ? el("p", { "class": "muted small" }, summary.note) : null
    );
  }

  function gapFact(summary) {
    var n = summary.totals && summary.totals.gaps,
      open = unknown(summary);
    if (n === undefined || n === null) return null;
    return el(
      "div",
      { "class": "fact gap" },
      el("dt", {}, t("facts.gaps")),
      el(
        "dd",
        {},
        el("b", {}, Mapapp.format.number(n)),
        " ",
        el("span", { "class": "unit" }, t("facts.gap_unit")),
        open ? el("small", { "class": "muted" }, t("facts.not_known", { n: open })) : null
      )
    );
  }

  Mapapp.facts = { draw: draw };
})();
