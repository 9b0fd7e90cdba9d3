/* This script fills the panel: figures and proof, budget and stages, links, refusals, choices, assumptions, papers. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t,
    f = Mapapp.format;
  var ROWS = 120;

  function body() {
    return document.getElementById("plan-body");
  }

  function money(value) {
    return f.words("money_yuan", value);
  }

  function fact(value, unit, label, more) {
    return el("div", {}, el("dt", {}, label), el("dd", {}, el("b", {}, value), unit ? el("span", { "class": "plan-unit" }, " " + unit) : null, more || null));
  }

  function details(id, title, open, children) {
    return el("details", { id: id, "class": "plan-more", open: open }, el("summary", {}, title), children);
  }

  // ------------------------------------------------------------------------------------------------------- figures

  function figures(data) {
    var s = data.summary;
    if (!s) return null;
    var length = f.quantity("length_m", s.length_m),
      cost = f.quantity("money_yuan", s.cost);
    var gap = s.gap_pct;
    return el(
      "section",
      { "class": "plan-figures", id: "plan-figures" },
      el(
        "dl",
        { "class": "plan-facts" },
        fact(f.number(s.linked), null, t("plan.linked"), el("small", {}, t("plan.of_unserved", { n: s.unserved }))),
        fact(f.number(s.refused), null, t("plan.refused_n")),
        fact(length.value, length.unit, t("plan.length")),
        fact(f.number(s.pumps), null, t("plan.pumps"))
      ),
      el(
        "div",
        { "class": "plan-cost" },
        el(
          "p",
          {},
          el("span", { "class": "label" }, t("plan.cost")),
          el("b", { "class": "plan-big" }, cost.value),
          " " + cost.unit + " ",
          s.example_prices ? el("span", { "class": "plan-tag warn", title: t("plan.example_long") }, t("plan.example")) : null
        ),
        el("p", { "class": "muted" }, t("plan.range", { low: money(s.cost_low), high: money(s.cost_high) })),
        el(
          "p",
          { id: "plan-proof" },
          gap === null
            ? t("plan.proof_none")
            : t("plan.proof", { bound: money(s.lower_bound), gap: f.number(Math.ceil(gap * 10) / 10, 1) })
        ),
        gap !== null && gap > 10 ? el("p", { "class": "muted small" }, t("plan.proof_weak")) : null
      ),
      data.check && data.check.sentence
        ? el("p", { "class": "plan-check " + (data.check.agrees ? "good" : "open"), id: "plan-check" }, Mapapp.dom.icon(data.check.agrees ? "check" : "ask"), el("span", {}, data.check.sentence))
        : null,
      el(
        "p",
        { "class": "muted small" },
        t("plan.made", { when: f.instant(data.at), by: data.by }) + " · " + t("plan.seconds", { n: f.number(s.seconds, 1) })
      ),
      data.changed && data.changed.length
        ? el("p", { "class": "notice warning", id: "plan-changed" }, t("plan.changed", { what: data.changed.join(Mapapp.lang === "en" ? ", " : "、") }))
        : null
    );
  }

  // -------------------------------------------------------------------------------------------------- budget, stages

  function budget(data, state) {
    var most = data.curve[data.curve.length - 1][0];
    if (!most) return null;
    var step = Math.max(Math.pow(10, Math.floor(Math.log(most / 200) / Math.LN10)), 100);
    var top = Math.ceil(most / step) * step;
    var slider = el("input", {
      type: "range",
      id: "plan-budget",
      min: 0,
      max: top,
      step: step,
      "aria-label": t("plan.budget"),
      "aria-describedby": "plan-first"
    });
    slider.value = state.budget === null ? top : state.budget;
    var typed = el("input", { type: "number", id: "plan-budget-wan", "class": "input", min: 0, step: "any", placeholder: t("plan.budget_all"), "aria-label": t("plan.budget") + " " + t("plan.budget_unit") });
    var write = function (value) {
      typed.value = value === null ? "" : Math.round(value / 100) / 100;
    };
    write(state.budget);
    slider.addEventListener("input", function () {
      var value = Number(slider.value) >= top ? null : Number(slider.value);
      write(value);
      Mapapp.plan.budget(value);
    });
    typed.addEventListener("input", function () {
      var value = typed.value === "" ? null : Number(typed.value) * 10000;
      if (value !== null && !(value >= 0)) return;
      slider.value = value === null ? top : value;
      Mapapp.plan.budget(value);
    });
    return el(
      "section",
      { "class": "plan-budget" },
      el("h2", {}, t("plan.budget")),
      el("div", { id: "plan-chart" }),
      slider,
      el("label", { "class": "row plan-typed" }, typed, el("span", {}, t("plan.budget_unit"))),
      el("p", { id: "plan-first", "aria-live": "polite" }),
      data.edits && data.summary ? el("button", { type: "button", "class": "button", id: "plan-keep", on: { click: Mapapp.plan.keepStages } }, t("plan.keep")) : null
    );
  }

  /** Write what the budget builds: chart, sentence, list. */
  function stages(answer, state) {
    var chart = document.getElementById("plan-chart");
    if (!chart) return;
    var first = answer.stages.filter(function (row) {
      return row.stage === 1;
    })[0] || { cost: 0, households: 0, routes: 0 };
    Mapapp.dom.fill(chart, Mapapp.planChart.chart(answer.curve, first, answer.budget));
    Mapapp.dom.fill(
      document.getElementById("plan-first"),
      first.cost
        ? t("plan.budget_first", { money: money(first.cost), households: f.words("households", first.households), routes: first.routes })
        : t("plan.budget_nothing")
    );
    list(answer, state);
  }

  function list(answer, state) {
    var root = document.getElementById("plan-routes"),
      data = Mapapp.plan.data(),
      by = {};
    data.routes.forEach(function (route) {
      var stage = answer.stage_of[route.route_id];
      (by[stage] = by[stage] || []).push(route);
    });
    var left = state.all ? Infinity : ROWS;
    var focus = document.activeElement && document.activeElement.getAttribute("data-key");
    Mapapp.dom.fill(
      root,
      answer.stages.map(function (stage) {
        var rows = (by[stage.stage] || []).slice(0, Math.max(left, 0));
        left -= rows.length;
        return el(
          "section",
          { "class": "plan-stage" },
          el("h3", {}, t("plan.stage", { n: stage.stage }), el("span", { "class": "muted" }, " " + money(stage.cost) + " · " + f.words("households", stage.households) + " · " + f.words("length_m", stage.length_m))),
          el("ul", {}, rows.map(function (route) { return item(route, data, state); }))
        );
      }),
      data.routes.length > ROWS && !state.all
        ? el("button", { type: "button", "class": "button quiet", on: { click: function () { state.all = true; list(answer, state); } } }, f.number(data.routes.length - ROWS) + " +")
        : null
    );
    if (focus) {
      var again = root.querySelector('[data-key="' + window.CSS.escape(focus) + '"]');
      if (again) again.focus();
    }
  }

  function item(route, data, state) {
    var name = route.compounds
      .map(function (one) {
        return one.name;
      })
      .join(Mapapp.lang === "en" ? ", " : "、");
    var pinned = route.compounds.some(function (one) {
      return state.pinned[one.id];
    });
    return el(
      "li",
      { "class": "plan-route" + (route.route_id === state.picked ? " picked" : "") },
      el(
        "button",
        { type: "button", "class": "plan-open", "data-key": "open " + route.route_id, on: { click: function () { Mapapp.plan.pick(route.link_id); } } },
        el("b", {}, name),
        el(
          "span",
          { "class": "muted" },
          [route.gap, f.words("length_m", route.length_m), money(route.cost), f.words("households", route.households)].filter(Boolean).join(" · ")
        ),
        route.project ? el("span", { "class": "plan-tag" }, t("plan.project_is", { id: route.project.id })) : null,
        route.pumps ? el("span", { "class": "plan-tag warn" }, t("plan.pump_n", { n: route.pumps })) : null
      ),
      data.edits
        ? el(
            "label",
            { "class": "check plan-pin", title: t("plan.pin") },
            el("input", { type: "checkbox", checked: pinned, "data-key": "pin " + route.route_id, "aria-label": t("plan.pin") + " " + name, on: { change: function (event) { Mapapp.plan.pin(route, event.currentTarget.checked); } } }),
            el("span", {}, t("plan.pin"))
          )
        : pinned
          ? el("span", { "class": "plan-tag" }, t("plan.pinned"))
          : null
    );
  }

  // --------------------------------------------------------------------------------------------------------- choices

  function book(kind, key, data, state) {
    var name = kind === "standards" ? "standard" : "prices";
    var select = el(
      "select",
      { "class": "input", id: "plan-" + name, disabled: !data.edits, on: { change: function (event) { state[name] = event.currentTarget.value; link(); } } },
      data.books[kind].map(function (one) {
        return el("option", { value: one.name, selected: one.name === state[name] }, one.title + (one.uploaded ? "（" + t("plan.own") + "）" : "") + (one.example ? "（" + t("plan.example") + "）" : ""));
      })
    );
    var down = el("a", { "class": "button quiet" }, t("plan.download"));
    function link() {
      down.setAttribute("href", "/plan/books/" + kind + "/" + encodeURIComponent(select.value) + ".toml");
    }
    link();
    var file = el("input", { type: "file", accept: ".toml", "class": "sr", id: "plan-file-" + name, on: { change: function () { if (file.files.length) Mapapp.plan.upload(kind, file.files[0]); file.value = ""; } } });
    return el(
      "div",
      { "class": "plan-book" },
      el("label", { "class": "field" }, el("span", {}, t(key)), select),
      el("div", { "class": "row" }, down, data.edits ? [file, el("label", { "class": "button quiet", "for": "plan-file-" + name }, t("plan.upload"))] : null)
    );
  }

  function forbid(data, state) {
    if (!data.edits) return null;
    if (!data.streets.length) return el("p", { "class": "muted" }, t("plan.forbid_none"));
    var chosen = el("div", { "class": "row plan-chosen" });
    var find = el("input", { "class": "input", id: "plan-forbid", list: "plan-streets", placeholder: t("plan.forbid_find"), autocomplete: "off" });
    var draw = function () {
      Mapapp.dom.fill(
        chosen,
        data.streets
          .filter(function (street) {
            return street.ids.some(function (id) {
              return state.forbidden[id];
            });
          })
          .map(function (street) {
            return el(
              "button",
              { type: "button", "class": "tag", "aria-label": t("close") + " " + street.name, on: { click: function () { street.ids.forEach(function (id) { delete state.forbidden[id]; }); draw(); } } },
              street.name,
              Mapapp.dom.icon("close")
            );
          })
      );
    };
    find.addEventListener("change", function () {
      var hit = data.streets.filter(function (street) {
        return street.name === find.value.trim();
      })[0];
      if (!hit) return;
      hit.ids.forEach(function (id) {
        state.forbidden[id] = true;
      });
      find.value = "";
      draw();
    });
    draw();
    return el(
      "div",
      {},
      el("label", { "class": "field" }, el("span", {}, t("plan.forbid")), find),
      el("datalist", { id: "plan-streets" }, data.streets.map(function (street) { return el("option", { value: street.name }); })),
      chosen,
      el("p", { "class": "muted small" }, t("plan.forbid_hint"))
    );
  }

  /** Footways, drawn links, forbidden areas, ground model. */
  function byHand(data, state) {
    if (!data.edits) return null;
    var rows = function (kind, list, name) {
      return list.length
        ? el("ul", { "class": "plan-list" }, list.map(function (one, i) {
            return el("li", { "class": "row" }, el("span", {}, name(one, i)), el("button", { type: "button", "class": "button quiet", "aria-label": t("plan.draw_remove") + " " + name(one, i), on: { click: function () { Mapapp.plan.removeDrawing(kind, i); } } }, t("plan.draw_remove")));
          }))
        : null;
    };
    var file = el("input", { type: "file", accept: ".tif,.tiff", "class": "sr", id: "plan-file-ground", on: { change: function () { if (file.files.length) Mapapp.plan.ground(file.files[0]); file.value = ""; } } });
    return [
      el(
        "label",
        { "class": "check" },
        el("input", { type: "checkbox", id: "plan-footways", checked: state.footways, on: { change: function (event) { state.footways = event.currentTarget.checked; } } }),
        el("span", {}, t("plan.footways"))
      ),
      el("h3", {}, t("plan.draw_title")),
      rows("drawn", state.drawn, function (one) { return one.compound_id || "–"; }),
      el("button", { type: "button", "class": "button", id: "plan-draw-link", on: { click: Mapapp.plan.drawLink } }, t("plan.draw")),
      el("h3", {}, t("plan.area_title")),
      rows("areas", state.areas, function (one, i) { return t("plan.area_n", { n: i + 1 }); }),
      el("button", { type: "button", "class": "button", id: "plan-draw-area", on: { click: Mapapp.plan.drawArea } }, t("plan.area")),
      el("h3", {}, t("plan.ground")),
      el("p", { "class": "muted small" }, data.ground || t("plan.ground_none")),
      el(
        "div",
        { "class": "row" },
        file,
        el("label", { "class": "button quiet", "for": "plan-file-ground" }, t("plan.ground_upload")),
        data.ground ? el("button", { type: "button", "class": "button quiet", on: { click: function () { Mapapp.plan.ground(null); } } }, t("plan.draw_remove")) : null
      )
    ];
  }

  function drawings(data, state) {
    var root = document.getElementById("plan-drawings");
    if (root) Mapapp.dom.fill.apply(null, [root].concat(byHand(data, state)));
  }

  function runButton(data) {
    return data.edits
      ? el("button", { type: "button", "class": "button" + (data.planned ? "" : " primary"), id: "plan-run", on: { click: Mapapp.plan.run } }, t(data.planned ? "plan.rerun" : "plan.run"))
      : null;
  }

  function papers(data) {
    return el(
      "section",
      {},
      el("h2", {}, t("plan.exports")),
      el(
        "p",
        { "class": "row" },
        [
          ["/plan/bill.xlsx", "plan.export_bill"],
          ["/api/export/links.gpkg", "plan.export_gpkg"],
          ["/api/export/links.geojson", "plan.export_geojson"],
          ["/plan/plan.inp", "plan.export_swmm"]
        ].map(function (one) {
          return el("a", { "class": "button", href: one[0] + "?lang=" + Mapapp.lang }, t(one[1]));
        })
      ),
      el("p", { "class": "muted small" }, t("plan.internal")),
      data.edits
        ? el("p", { "class": "row" }, el("a", { "class": "button", id: "plan-share", href: "/?on=compounds,streets,findings,links&lang=" + Mapapp.lang + "#share-unit" }, t("plan.share")))
        : null
    );
  }

  function draw(data, state) {
    var choices = details("plan-choices", t("plan.choices"), !data.planned, [
      book("standards", "plan.standard", data, state),
      book("prices", "plan.prices", data, state),
      forbid(data, state),
      el("div", { id: "plan-drawings" }, byHand(data, state)),
      data.planned ? runButton(data) : null
    ]);
    if (!data.planned) {
      Mapapp.dom.fill(
        body(),
        el("p", { "class": "plan-empty" }, data.edits ? t("plan.none") : t("plan.none_viewer")),
        el("p", { "class": "muted" }, t("plan.none_hint")),
        runButton(data),
        data.edits ? choices : null
      );
      return;
    }
    Mapapp.dom.fill(
      body(),
      figures(data),
      el("p", { "class": "row" }, runButton(data)),
      budget(data, state),
      el("section", {}, el("h2", {}, t("plan.links")), el("div", { id: "plan-routes" })),
      data.refusals ? refused(data.refusals) : null,
      data.remarks && data.remarks.length ? remarks(data.remarks) : null,
      choices,
      data.assumptions
        ? details("plan-assumptions", t("plan.assumptions"), true, el("ul", { "class": "plan-list" }, data.assumptions.map(function (text) { return el("li", {}, text); })))
        : null,
      papers(data)
    );
    var second = choices.querySelector("#plan-run");
    if (second) second.id = "plan-run-again";
  }

  function remarks(rows) {
    return el(
      "section",
      { id: "plan-remarks" },
      el("h2", {}, t("plan.remarks") + " " + f.number(rows.length)),
      el("ul", { "class": "plan-list" }, rows.map(function (row) {
        return el("li", {}, row.compound_id ? el("a", { href: "/compounds/" + encodeURIComponent(row.compound_id) }, row.name) : null, el("span", { "class": "muted" }, " " + row.why));
      }))
    );
  }

  function refused(rows) {
    return el(
      "section",
      { id: "plan-refusals" },
      el("h2", {}, t("plan.refusals") + " " + f.number(rows.length)),
      rows.length
        ? el("ul", { "class": "plan-list" }, rows.map(function (row) {
            return el("li", {}, el("a", { href: "/compounds/" + encodeURIComponent(row.compound_id) }, row.name), el("span", { "class": "muted" }, " " + row.why));
          }))
        : el("p", { "class": "muted" }, t("plan.no_refusals"))
    );
  }

  Mapapp.planPanel = { draw: draw, stages: stages, drawings: drawings };
})();
