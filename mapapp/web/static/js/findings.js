/* This script lists findings about a feature and sends what a planner decides: confirmed, dismissed, fixed, open again. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var boxes = {};

  function decide(finding, status, note, box) {
    Array.prototype.forEach.call(box.querySelectorAll("button"), function (button) {
      button.disabled = true;
    });
    var seen = finding.decided_at || ""; // whoever decided since then is told of, not overwritten
    var sent = { status: status, note: note, expected: seen };
    return Mapapp.api.post("/findings/" + encodeURIComponent(finding.finding_id), sent).then(
      function (kept) {
        Mapapp.dom.toast(t("finding.saved"), "success");
        decided(finding, kept);
      },
      function (error) {
        Array.prototype.forEach.call(box.querySelectorAll("button"), function (button) {
          button.disabled = false;
        });
        var old = box.querySelector(".notice");
        if (old) old.parentNode.removeChild(old);
        box.appendChild(el("p", { "class": "notice error", role: "alert" }, error.message));
      }
    );
  }

  /** Draw a finding as it was decided, with the problem that followed. */
  function decided(finding, kept) {
    finding.status = kept.status;
    finding.note = kept.note || "";
    finding.decided_at = kept.decided_at;
    if (kept.problem) finding.problem = kept.problem;
    if (boxes[finding.finding_id]) {
      var old = boxes[finding.finding_id];
      old.parentNode.replaceChild(findingBox(finding), old);
    }
    if (Mapapp.app) Mapapp.app.decided();
  }

  function findingBox(finding) {
    var may = Mapapp.view && Mapapp.view.can && Mapapp.view.can.edit;
    var state = finding.status || "open";
    var note = el("input", {
      type: "text",
      "class": "input",
      maxlength: 500,
      placeholder: t("finding.note"),
      "aria-label": t("finding.note"),
      value: finding.note || ""
    });
    var box = el(
      "li",
      { "class": "finding", "data-status": state },
      el(
        "p",
        { "class": "finding-head" },
        Mapapp.symbols.swatch(Mapapp.symbols.classOf("rule", finding.rule), "point"),
        el("b", {}, finding.title || Mapapp.symbols.classOf("rule", finding.rule).label),
        el("span", { "class": "state " + state }, t("finding." + state))
      ),
      el("p", {}, finding.message || ""),
      finding.fix ? el("p", { "class": "muted small" }, t("finding.fix"), finding.fix) : null,
      finding.note && !may ? el("p", { "class": "small" }, t("finding.note_is"), finding.note) : null
    );
    if (may && finding.finding_id) {
      var act = function (status) {
        return function () {
          if (status === "dismissed" && !note.value.trim()) {
            note.focus();
            note.setAttribute("aria-invalid", "true");
            Mapapp.dom.toast(t("finding.reason"), "error");
            return;
          }
          decide(finding, status, note.value.trim(), box);
        };
      };
      box.appendChild(
        el(
          "div",
          { "class": "finding-act" },
          note,
          el(
            "div",
            { "class": "row" },
            ["confirmed", "dismissed", "fixed", "open"]
              .filter(function (status) {
                return status !== state;
              })
              .map(function (status) {
                return el(
                  "button",
                  { type: "button", "class": "button", "data-decide": status, on: { click: act(status) } },
                  t("finding.act_" + status)
                );
              })
          )
        )
      );
      box.appendChild(Mapapp.ticket.row(finding));
    }
    boxes[finding.finding_id] = box;
    return box;
  }

  function findingList(feature) {
    var rows = feature.findings || [];
    if (!rows.length) return null;
    Mapapp.ticket.tie(feature);
    return el(
      "section",
      {},
      el("h3", {}, t("card.findings", { n: rows.length })),
      el("ul", { "class": "findings" }, rows.map(findingBox))
    );
  }

  Mapapp.findings = { list: findingList, decided: decided };
})();
