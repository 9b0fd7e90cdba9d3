/* This script answers a click: a card slides over the facts with the verdict, its evidence, and what to do next. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;

  /** The next step, by verdict: one button that does something here and now. */
  function nextAction(feature) {
    if (feature.layer !== "compounds" || !feature.verdict) return null;
    var first = (feature.candidates || [])[0];
    var shared = Mapapp.config && Mapapp.config.mode === "share";
    var page = "/compounds/" + encodeURIComponent(feature.id);
    var button = null;
    if (first && first._at) {
      button = el(
        "button",
        {
          type: "button",
          "class": "button primary",
          on: {
            click: function () {
              Mapapp.about.point(first);
            }
          }
        },
        t("next.candidate", { id: first.manhole_id })
      );
    } else if (feature.verdict.id === "no_data" && Mapapp.about.layerOf("survey_areas")) {
      button = el(
        "button",
        {
          type: "button",
          "class": "button primary",
          on: {
            click: function () {
              Mapapp.state.set({ on: Mapapp.legend.shown().concat("survey_areas") });
            }
          }
        },
        t("next.survey")
      );
    }
    return el(
      "p",
      { "class": "row next" },
      button,
      shared ? null : el("a", { "class": "button" + (button ? "" : " primary"), href: page }, t("next.page"))
    );
  }

  function draw(feature) {
    var root = document.getElementById("card");
    Mapapp.dom.fill(
      root,
      el(
        "div",
        { "class": "panel-head card-head" },
        el("div", {}, Mapapp.about.heading(feature)),
        el(
          "button",
          { type: "button", "class": "button quiet", id: "card-close", "aria-label": t("close"), on: { click: close } },
          Mapapp.dom.icon("close")
        )
      ),
      Mapapp.about.verdictBox(feature),
      Mapapp.about.evidenceList(feature),
      nextAction(feature),
      Mapapp.about.candidateTable(feature),
      Mapapp.about.linkList(feature),
      Mapapp.findings.list(feature),
      Mapapp.about.problemList(feature),
      Mapapp.about.photoSection(feature),
      Mapapp.about.attributeList(feature),
      feature.note ? el("p", { "class": "muted small" }, feature.note) : null
    );
  }

  function skeleton() {
    Mapapp.dom.fill(
      document.getElementById("card"),
      el(
        "div",
        { "class": "panel-head" },
        el("h2", {}, t("card.loading")),
        el(
          "button",
          { type: "button", "class": "button quiet", "aria-label": t("close"), on: { click: close } },
          Mapapp.dom.icon("close")
        )
      ),
      el("div", { "class": "bones tall", "aria-hidden": "true" }, el("i"), el("i"), el("i"))
    );
  }

  function close() {
    Mapapp.state.set({ sel: null });
  }

  /** Show the selection of the address, or fold the card away. `seen` hears the feature. */
  function open(sel, seen) {
    var root = document.getElementById("card"),
      facts = document.getElementById("facts");
    root.hidden = !sel;
    facts.classList.toggle("under", Boolean(sel));
    document.body.classList.toggle("has-card", Boolean(sel));
    if (!sel) {
      Mapapp.sheet.tab("facts");
      return;
    }
    skeleton();
    root.scrollTop = 0;
    Mapapp.sheet.tab("card");
    Mapapp.api
      .get(
        "/features/" + encodeURIComponent(sel.layer) + "/" + encodeURIComponent(sel.id) + Mapapp.state.query(),
        "card"
      )
      .then(
        function (feature) {
          var now = Mapapp.state.get().sel;
          if (!now || now.layer !== sel.layer || now.id !== sel.id) return;
          draw(feature);
          Mapapp.dom.say((feature.title || feature.id) + (feature.verdict ? ". " + (feature.verdict.title || "") : ""));
          if (seen) seen(feature);
        },
        function (error) {
          if (Mapapp.api.aborted(error)) return;
          Mapapp.dom.append(Mapapp.dom.clear(root), [
            el(
              "div",
              { "class": "panel-head" },
              el("h2", {}, sel.id),
              el(
                "button",
                { type: "button", "class": "button quiet", "aria-label": t("close"), on: { click: close } },
                Mapapp.dom.icon("close")
              )
            ),
            el("p", { "class": "notice error", role: "alert" }, error.status === 404 ? t("card.gone") : error.message)
          ]);
        }
      );
  }

  Mapapp.card = { open: open, close: close };
})();
