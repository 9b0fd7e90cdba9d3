/* This script draws the yard page from its state: the list of places, the marks, the position, what waits, what is newer. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    svg = Mapapp.dom.svg,
    t = Mapapp.t,
    drafts = Mapapp.drafts,
    yard = Mapapp.yard,
    the = yard.state;
  var byId = function (id) {
    return document.getElementById(id);
  };

  function drawPlaces(list) {
    var from = yard.here();
    Mapapp.dom.fill(
      byId("places"),
      list.length
        ? list.map(function (place, i) {
            var way = from ? yard.bearing(from, place.at) : 0,
              on = the.chosen === place.node_id,
              mark = yard.known(place);
            return el(
              "li",
              {},
              el(
                "button",
                {
                  type: "button",
                  "class": "place",
                  "aria-pressed": on ? "true" : "false",
                  "data-node": place.node_id,
                  on: {
                    click: function () {
                      choose(place.node_id);
                    }
                  }
                },
                el("span", { "class": "place-no" }, i + 1),
                the.me
                  ? el(
                      "span",
                      { "class": "place-way", "aria-hidden": "true" },
                      svg(
                        "svg",
                        { viewBox: "-10 -10 20 20" },
                        svg("path", {
                          d: "M0-8 5 7 0 4-5 7z",
                          transform: "rotate(" + way.toFixed(0) + ")",
                          fill: "currentColor"
                        })
                      )
                    )
                  : null,
                el("span", { "class": "place-text" }, el("b", {}, place.node_id), el("small", {}, yard.why(place))),
                el(
                  "span",
                  { "class": "place-far" },
                  the.me ? el("span", {}, el("b", {}, yard.metres(place.away)), el("small", {}, " " + (place.away < 2 ? t("yard.underfoot") : yard.compass(way)))) : null,
                  mark && mark !== "not_visited" ? el("small", { "class": "place-mark " + mark }, yard.word(mark)) : null
                )
              )
            );
          })
        : el("li", { "class": "empty" }, t("yard.none"))
    );
  }

  function drawMarks() {
    var box = byId("marks"),
      legend = byId("chosen");
    legend.textContent = the.chosen ? the.chosen + " · " + t("yard.mark") : t("yard.mark");
    Array.prototype.slice.call(box.querySelectorAll("label")).forEach(function (node) {
      box.removeChild(node);
    });
    the.pack.marks.forEach(function (one) {
      box.appendChild(
        el(
          "label",
          { "class": "found-mark " + one.value },
          el("input", {
            type: "radio",
            name: "found",
            value: one.value,
            checked: the.mark === one.value,
            on: {
              change: function () {
                the.mark = one.value;
              }
            }
          }),
          el("span", {}, one.label)
        )
      );
    });
  }

  function drawFix() {
    var text = the.me
      ? t("yard.located", { m: Math.round(the.me.accuracy) }) +
        " · " +
        t("yard.age", { date: Mapapp.format.date(the.pack.as_of) })
      : t(!window.isSecureContext ? "yard.insecure" : the.denied ? "yard.denied" : "yard.locating");
    byId("fix").textContent = the.pack.compounds.length ? text : t("yard.none");
  }

  function drawSignal() {
    var node = byId("signal"),
      n = the.waiting.length,
      off = the.offline || navigator.onLine === false;
    node.className = "signal " + (off ? "off" : n ? "some" : "on");
    node.textContent = (off ? t("yard.offline") : t("yard.online")) + (n ? " · " + t("yard.pending", { n: n }) : "");
    Mapapp.dom.fill(
      byId("draft-list"),
      n
        ? the.waiting.map(function (draft) {
            return el(
              "li",
              {},
              el(
                "div",
                {},
                el("b", {}, draft.node_id || draft.compound_id),
                " ",
                yard.word(draft.found),
                draft.photo ? " · " + t("yard.photo") : "",
                el("small", { "class": "muted" }, " " + Mapapp.format.instant(draft.visited_at)),
                draft.fault ? el("p", { "class": "notice error" }, draft.fault) : null
              ),
              el(
                "button",
                {
                  type: "button",
                  "class": "button danger",
                  on: {
                    click: function () {
                      drafts.remove(draft.visit_id).then(yard.refresh);
                    }
                  }
                },
                t("yard.delete")
              )
            );
          })
        : el("li", { "class": "muted" }, t("yard.sent_all"))
    );
  }

  function drawNewer() {
    var node = byId("newer"),
      audit = the.pack.audit || {};
    node.hidden = !audit.newer && !the.auditing;
    Mapapp.dom.fill(
      node,
      el(
        "span",
        {},
        the.auditing
          ? t("yard.auditing", { n: Math.round(100 * the.auditing.progress) })
          : t("yard.newer", { n: audit.changes })
      ),
      the.pack.edits && !the.auditing
        ? el("button", { type: "button", "class": "button", id: "audit", on: { click: yard.auditAgain } }, t("yard.audit"))
        : null
    );
  }

  function drawCompounds() {
    var select = byId("compound");
    Mapapp.dom.fill(
      select,
      el("option", { value: "" }, t("yard.nearest")),
      the.pack.compounds.map(function (one) {
        return el(
          "option",
          { value: one.compound_id, selected: one.compound_id === the.compound },
          (one.name || one.compound_id) + " · " + one.title
        );
      })
    );
  }

  function draw() {
    if (!the.pack) return;
    var list = yard.places();
    if (
      the.chosen &&
      !list.some(function (place) {
        return place.node_id === the.chosen;
      })
    )
      the.chosen = null;
    drawPlaces(list);
    yard.drawSketch(list);
    drawFix();
    drawNewer();
    drawSignal();
    byId("form").classList.toggle("idle", !the.chosen);
  }

  function choose(id) {
    the.chosen = id;
    the.mark = null;
    drawMarks();
    draw();
    Mapapp.dom.say(id);
  }

  yard.draw = draw;
  yard.drawMarks = drawMarks;
  yard.drawNewer = drawNewer;
  yard.drawCompounds = drawCompounds;
  yard.choose = choose;
})();
