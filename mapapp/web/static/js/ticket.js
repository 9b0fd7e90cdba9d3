/* This script ties findings to the list of problems: one press makes a finding a problem; both settle together. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;

  function settled(problem) {
    return problem.settled === true || problem.status === "closed" || problem.status === "resolved";
  }

  /** Give each finding of a feature the problem that it became, as far as the feature's own problems tell. */
  function tie(feature) {
    (feature.findings || []).forEach(function (finding) {
      var id = "WT-" + finding.finding_id;
      var found = (feature.problems || []).filter(function (problem) {
        return problem.ticket_id === id;
      })[0];
      if (found) finding.problem = found;
    });
  }

  function link(problem) {
    return el(
      "a",
      { href: "/problems/" + encodeURIComponent(problem.ticket_id) },
      t(settled(problem) ? "card.problem_closed" : "card.is_problem")
    );
  }

  function button(text, press) {
    var node = el("button", { type: "button", "class": "button", "data-ticket": true }, text);
    node.addEventListener("click", function () {
      node.disabled = true;
      press().then(null, function (error) {
        node.disabled = false;
        Mapapp.dom.toast(error.message, "error");
      });
    });
    return node;
  }

  function make(finding, place) {
    return Mapapp.api.post("/findings/" + encodeURIComponent(finding.finding_id) + "/problem", {}).then(function (problem) {
      finding.problem = problem;
      finding.decided_at = problem.decided_at; // making it a problem confirms the finding
      Mapapp.dom.toast(t("card.problem_made"), "success");
      fill(finding, place);
    });
  }

  /** What held before the newest decision holds again; the box is drawn anew. */
  function undo(finding) {
    var sent = { expected: finding.decided_at || "" };
    return Mapapp.api.post("/findings/" + encodeURIComponent(finding.finding_id) + "/undo", sent).then(function (kept) {
      Mapapp.dom.toast(t("card.undone"), "success");
      Mapapp.findings.decided(finding, kept);
    });
  }

  function fill(finding, place) {
    var over = finding.status === "fixed" || finding.status === "dismissed";
    Mapapp.dom.fill(
      place,
      finding.problem ? link(finding.problem) : null,
      finding.decided_at
        ? button(t("card.undo_decision"), function () {
            return undo(finding);
          })
        : null,
      !finding.problem && !over
        ? button(t("card.to_problem"), function () {
            return make(finding, place);
          })
        : null
    );
  }

  /** The line under a finding: its problem, or the button that makes it one. */
  function row(finding) {
    var place = el("div", { "class": "row ticket" });
    fill(finding, place);
    if (!finding.problem && finding.layer !== "compounds") {
      // what hangs on no compound does not bring its problems along
      Mapapp.api.get("/findings/" + encodeURIComponent(finding.finding_id) + "/problem").then(
        function (found) {
          if (!found.ticket_id) return;
          finding.problem = found;
          fill(finding, place);
        },
        function () {}
      );
    }
    return el("div", { "class": "finding-act" }, place);
  }

  Mapapp.ticket = { tie: tie, row: row };
})();
