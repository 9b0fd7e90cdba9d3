/* This script shows one link: its way down to the sewer as a long section, its bill, its papers, and the project made of it. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t,
    f = Mapapp.format;

  function root() {
    return document.getElementById("plan-card");
  }

  function names(list) {
    return list
      .map(function (one) {
        return one.name;
      })
      .join(Mapapp.lang === "en" ? ", " : "、");
  }

  function drawing(text) {
    var parsed = new window.DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    return el("div", { "class": "plan-section", tabindex: "0", "aria-label": t("plan.section") }, document.importNode(parsed, true));
  }

  function bill(rows) {
    var sum = { low: 0, middle: 0, high: 0 };
    rows.forEach(function (row) {
      Object.keys(sum).forEach(function (name) {
        sum[name] += row[name] || 0;
      });
    });
    var money = function (value) {
      return el("td", { "class": "num" }, value === null ? "–" : f.number(value));
    };
    return el(
      "table",
      { "class": "grid plan-bill" },
      el("caption", { "class": "sr" }, t("plan.bill")),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("th", { scope: "col" }, t("plan.bill_item")),
          el("th", { scope: "col", "class": "num" }, t("plan.bill_quantity")),
          el("th", { scope: "col", "class": "num wide" }, t("plan.bill_low")),
          el("th", { scope: "col", "class": "num" }, t("plan.bill_middle")),
          el("th", { scope: "col", "class": "num wide" }, t("plan.bill_high"))
        )
      ),
      el(
        "tbody",
        {},
        rows.map(function (row) {
          return el(
            "tr",
            {},
            el("th", { scope: "row" }, row.item, row.group ? el("small", {}, " " + row.group) : null),
            el("td", { "class": "num" }, f.number(row.quantity, 1) + " " + row.unit),
            el("td", { "class": "num wide" }, row.low === null ? "–" : f.number(row.low)),
            money(row.middle),
            el("td", { "class": "num wide" }, row.high === null ? "–" : f.number(row.high))
          );
        })
      ),
      el(
        "tfoot",
        {},
        el(
          "tr",
          {},
          el("th", { scope: "row", colspan: "2" }, t("plan.bill_total")),
          el("td", { "class": "num wide" }, f.number(sum.low)),
          money(sum.middle),
          el("td", { "class": "num wide" }, f.number(sum.high))
        )
      )
    );
  }

  function projectButton(answer) {
    var route = answer.route,
      made = answer.made;
    if (route.project)
      return [
        el("span", { "class": "plan-tag" }, t("plan.project_is", { id: route.project.id })),
        made
          ? el(
              "button",
              { type: "button", "class": "button quiet", id: "plan-project-undo", on: { click: undo } },
              t("plan.project_undo")
            )
          : null
      ];
    if (!Mapapp.plan.data().edits) return null;
    return el("button", { type: "button", "class": "button primary", id: "plan-project", on: { click: make } }, t("plan.project"));

    function failed(error) {
      Mapapp.dom.toast(error.message, "error");
    }
    function make(event) {
      event.currentTarget.disabled = true;
      Mapapp.api.post("/plan/links/" + encodeURIComponent(route.link_id) + "/project", {}).then(function (done) {
        Mapapp.dom.toast(t("plan.project_made", { id: done.project_id }));
        answer.made = done.made ? done : null;
        route.project = { id: done.project_id };
        Mapapp.plan.projectChanged(route.route_id, route.project);
        draw(answer);
      }, function (error) {
        failed(error);
        draw(answer);
      });
    }
    function undo() {
      Mapapp.api
        .post("/plan/projects/" + encodeURIComponent(made.project_id) + "/undo", { edit_id: String(made.edit_id) })
        .then(function () {
          Mapapp.dom.toast(t("plan.project_undone"));
          answer.made = null;
          route.project = null;
          Mapapp.plan.projectChanged(route.route_id, null);
          draw(answer);
        }, failed);
    }
  }

  function draw(answer) {
    var route = answer.route,
      id = encodeURIComponent(route.link_id);
    Mapapp.dom.fill(
      root(),
      el(
        "header",
        { "class": "plan-card-head" },
        el(
          "div",
          {},
          el("h2", {}, names(route.compounds)),
          el(
            "p",
            { "class": "muted" },
            route.gap ? t("plan.gap") + (Mapapp.lang === "en" ? ": " : "：") + route.gap + " · " : null,
            f.words("length_m", route.length_m) + " · " + t("plan.largest", { n: f.number(route.diameter_mm) }) + " · ",
            el("b", {}, f.words("money_yuan", route.cost)),
            " (" + t("plan.range", { low: f.words("money_yuan", route.cost_low), high: f.words("money_yuan", route.cost_high) }) + ")",
            " · " + t("plan.card_to", { node: route.to_node }),
            route.pumps ? " · " + t("plan.pump_n", { n: route.pumps }) : null
          ),
          answer.needs.length ? el("p", { "class": "plan-needs" }, t("plan.card_needs", { names: names(answer.needs) })) : null
        ),
        el("div", { "class": "row plan-card-act" }, projectButton(answer)),
        el(
          "button",
          { type: "button", "class": "button quiet", id: "plan-card-close", "aria-label": t("close"), on: { click: function () { Mapapp.plan.pick(null); } } },
          Mapapp.dom.icon("close")
        )
      ),
      route.evidence
        ? el(
            "div",
            { "class": "plan-sides" },
            el("section", { "class": "plan-gap" }, el("h3", {}, t("plan.gap_side")), el("p", {}, el("b", {}, route.gap || "")), el("p", { "class": "muted" }, route.evidence)),
            el("section", { "class": "plan-closes" }, el("h3", {}, t("plan.link_side")), el("p", {}, el("b", {}, f.words("length_m", route.length_m) + " · " + f.words("money_yuan", route.cost))), el("p", { "class": "muted" }, t("plan.card_to", { node: route.to_node }) + " · " + t("plan.largest", { n: f.number(route.diameter_mm) }) + " · " + f.words("households", route.households)))
          )
        : null,
      el(
        "div",
        { "class": "plan-card-body" },
        drawing(answer.svg),
        el("div", { "class": "plan-card-bill" }, bill(answer.bill), el("p", { "class": "muted small" }, t("plan.card_shared")))
      ),
      el(
        "p",
        { "class": "row plan-papers" },
        el("a", { "class": "button", href: "/plan/section/" + id + ".pdf" }, t("plan.section") + " PDF"),
        el("a", { "class": "button", href: "/plan/section/" + id + ".png" }, "PNG"),
        el("a", { "class": "button", href: "/plan/section/" + id + ".svg" }, "SVG"),
        el("a", { "class": "button", href: "/plan/bill.xlsx?link=" + id }, t("plan.export_bill"))
      )
    );
  }

  function close() {
    root().hidden = true;
    document.body.classList.remove("has-plan-card");
  }

  function reveal() {
    root().hidden = false;
    document.body.classList.add("has-plan-card");
    root().focus({ preventScroll: true });
  }

  function checking() {
    Mapapp.dom.fill(root(), el("p", { role: "status" }, t("plan.checking")));
    reveal();
  }

  /** Show what a drawn link comes to, beside ours; `accept` takes it into the plan, `drop` forgets it. */
  function checked(found, accept, drop) {
    var one = found.links[0];
    var button = function (id, key, act, extra) {
      return el("button", { type: "button", id: id, "class": "button " + extra, on: { click: act } }, t(key));
    };
    var figure = function (key, name, write) {
      var ours = one.ours ? write(one.ours[name]) : t("plan.check_none");
      return el("tr", {}, el("th", { scope: "row" }, t(key)), el("td", { "class": "num" }, write(one.figures[name])), el("td", { "class": "num" }, ours));
    };
    var size = function (value) {
      return "DN" + f.number(value);
    };
    Mapapp.dom.fill(
      root(),
      el(
        "header",
        { "class": "plan-card-head" },
        el("div", {}, el("h2", {}, t("plan.check_title") + (one ? (Mapapp.lang === "en" ? ": " : "：") + one.name : ""))),
        el("div", { "class": "row plan-card-act" }, one ? button("plan-accept", "plan.check_accept", accept, "primary") : null, button("plan-discard", "plan.check_drop", drop, ""))
      ),
      el(
        "ul",
        { "class": "plan-list", id: "plan-check-remarks" },
        found.remarks.length
          ? found.remarks.map(function (row) { return el("li", { "data-kind": row.kind }, row.sentence); })
          : el("li", {}, t("plan.check_fine"))
      ),
      one
        ? el(
            "div",
            { "class": "plan-card-body" },
            drawing(one.svg),
            el(
              "div",
              {},
              el(
                "table",
                { "class": "grid plan-bill" },
                el("thead", {}, el("tr", {}, el("th", {}), el("th", { scope: "col", "class": "num" }, t("plan.check_drawn")), el("th", { scope: "col", "class": "num" }, t("plan.check_ours")))),
                el(
                  "tbody",
                  {},
                  figure("plan.check_length", "length_m", function (v) { return f.words("length_m", v); }),
                  figure("plan.check_size", "diameter_mm", size),
                  figure("plan.check_cost", "cost", function (v) { return f.words("money_yuan", v); }),
                  figure("plan.pumps", "pumps", function (v) { return f.number(v); })
                )
              ),
              el("p", { "class": "muted small" }, t("plan.check_to") + " " + one.figures.to_node + (one.swmm === null ? "" : " · " + t(one.swmm ? "plan.check_swmm" : "plan.check_swmm_no")))
            )
          )
        : null
    );
    reveal();
  }

  /** Fetch and show a link; null closes. Resolves with the answer. */
  function open(linkId) {
    if (linkId === null) {
      close();
      return Promise.resolve(null);
    }
    return Mapapp.api.get("/plan/links/" + encodeURIComponent(linkId) + "?lang=" + Mapapp.lang, "link").then(function (answer) {
      draw(answer);
      root().hidden = false;
      document.body.classList.add("has-plan-card");
      return answer;
    });
  }

  Mapapp.planCard = { open: open, close: close, checking: checking, checked: checked };
})();
