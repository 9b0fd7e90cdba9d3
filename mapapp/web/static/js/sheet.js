/* This script folds the panels: side panels on a desk, one bottom sheet with three heights on a phone. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var HEIGHTS = ["low", "half", "full"];
  var TABS = [
    ["facts", "facts", "facts.tab"],
    ["table", "table", "table.tab"],
    ["layers", "layers", "layers.tab"]
  ];
  var phone = window.matchMedia("(max-width: 767px)");
  var now = "facts";

  function root() {
    return document.getElementById("panels");
  }

  function height(name) {
    root().setAttribute("data-height", name);
    var grip = document.getElementById("sheet-grip");
    if (grip) grip.setAttribute("aria-label", t("sheet." + name));
  }

  /** Bring one panel of the sheet to the front. On a desk all panels are in sight and this does nothing to see. */
  function tab(name) {
    now = name;
    root().setAttribute("data-tab", name);
    Array.prototype.forEach.call(document.querySelectorAll("#sheet-head [role=tab]"), function (node) {
      node.setAttribute("aria-selected", String(node.getAttribute("data-tab") === name));
    });
    if (!phone.matches) return;
    if (name === "table" && !Mapapp.table.isOpen()) Mapapp.table.toggle(true);
    if (name === "card" && root().getAttribute("data-height") === "low") height("half");
  }

  function build() {
    var grip = el(
      "button",
      { type: "button", id: "sheet-grip", "class": "grip", on: { click: cycle } },
      el("span", { "aria-hidden": "true" })
    );
    var head = document.getElementById("sheet-head");
    Mapapp.dom.fill(
      head,
      grip,
      el("p", { "class": "sheet-line", id: "sheet-line" }),
      el(
        "div",
        { "class": "tabs", role: "tablist", "aria-label": t("sheet.tabs") },
        TABS.map(function (item) {
          return el(
            "button",
            {
              type: "button",
              role: "tab",
              "class": "tab",
              "data-tab": item[0],
              "aria-selected": String(item[0] === now),
              "aria-controls": item[0],
              on: {
                click: function () {
                  if (item[0] !== "card" && Mapapp.state.get().sel && item[0] === "facts") Mapapp.card.close();
                  tab(item[0]);
                  if (root().getAttribute("data-height") === "low") height("half");
                }
              }
            },
            Mapapp.dom.icon(item[1]),
            el("span", {}, t(item[2]))
          );
        })
      )
    );
    drag(head);
    height("low");
    tab("facts");
  }

  /** The one line that is in sight at every height: how many, and as of when. */
  function line(summary) {
    var totals = summary.totals || {},
      node = document.getElementById("sheet-line");
    if (!node) return;
    Mapapp.dom.fill(
      node,
      el(
        "b",
        {},
        [
          ["compounds", totals.compounds],
          ["households", totals.households]
        ]
          .filter(function (item) {
            return item[1] !== undefined;
          })
          .map(function (item) {
            return Mapapp.format.words(item[0], item[1]);
          })
          .join(" · ")
      ),
      el("span", { "class": "muted small" }, t("as_of", { date: Mapapp.format.date(summary.as_of) }))
    );
  }

  var dragged = false;
  function cycle() {
    if (dragged) {
      dragged = false;
      return;
    }
    var i = HEIGHTS.indexOf(root().getAttribute("data-height"));
    height(HEIGHTS[(i + 1) % HEIGHTS.length]);
  }

  /* A drag ends at the nearest of the three heights. */
  function drag(head) {
    var from = null;
    head.addEventListener(
      "touchstart",
      function (event) {
        from = { y: event.touches[0].clientY, h: root().offsetHeight };
        dragged = false;
      },
      { passive: true }
    );
    head.addEventListener(
      "touchmove",
      function (event) {
        if (!from || !phone.matches) return;
        var by = from.y - event.touches[0].clientY;
        if (Math.abs(by) < 6) return;
        dragged = true;
        root().classList.add("dragging");
        root().style.height = Math.max(80, Math.min(window.innerHeight - 64, from.h + by)) + "px";
      },
      { passive: true }
    );
    head.addEventListener("touchend", function () {
      if (!from) return;
      var tall = root().offsetHeight / window.innerHeight;
      root().classList.remove("dragging");
      root().style.height = "";
      if (dragged) height(tall < 0.3 ? "low" : tall < 0.68 ? "half" : "full");
      from = null;
      window.setTimeout(function () {
        dragged = false;
      }, 50);
    });
  }

  function foldLeft() {
    var folded = document.getElementById("layers").classList.toggle("folded");
    var button = document.querySelector("#layers .fold");
    button.setAttribute("aria-expanded", String(!folded));
    button.setAttribute("aria-label", t(folded ? "panel.unfold" : "panel.fold"));
  }

  /** What the panels hide of the map, in pixels: {left, right, top, bottom}. */
  function padding() {
    if (phone.matches)
      return { left: 24, right: 24, top: 72, bottom: Math.min(root().offsetHeight, window.innerHeight / 2) + 16 };
    var left = document.getElementById("layers"),
      right = document.getElementById("facts");
    return {
      left: left.offsetWidth + 40,
      right: right.offsetWidth + 40,
      top: 24,
      bottom: document.getElementById("table").offsetHeight + 32
    };
  }

  Mapapp.sheet = {
    build: build,
    tab: tab,
    height: height,
    foldLeft: foldLeft,
    line: line,
    padding: padding,
    isPhone: function () {
      return phone.matches;
    }
  };
})();
