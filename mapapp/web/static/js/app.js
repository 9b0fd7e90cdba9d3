/* This script puts the page together: it reads the address, asks the server, and keeps map, panels and table in step. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var t = Mapapp.t,
    el = Mapapp.dom.el;
  var pending = 0;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");

  function failed(error) {
    if (Mapapp.api.aborted(error)) return;
    Mapapp.facts.draw(error);
  }

  /** What does not depend on filters: title, date, layers, style, filters on offer. */
  function loadView() {
    return Mapapp.api.get("/view" + Mapapp.state.query(), "view").then(function (view) {
      view.light = view.style;
      if (dark.matches) view.style = Mapapp.symbols.forDark(view.style);
      Mapapp.view = view;
      bar();
      notices();
      return view;
    });
  }

  /** What the filters leave: counts and totals. The old numbers stay, dimmed, until the new ones are here. */
  function loadSummary() {
    var mine = ++pending;
    document.body.classList.add("counting");
    return Mapapp.api.get("/summary" + Mapapp.state.query(), "summary").then(
      function (summary) {
        if (mine !== pending) return;
        document.body.classList.remove("counting");
        Mapapp.summary = summary;
        Mapapp.sheet.line(summary);
        if (!Mapapp.view) return;
        notices();
        Mapapp.legend.draw();
        Mapapp.filters.draw();
        Mapapp.facts.draw();
        Mapapp.table.frame();
        Mapapp.table.refresh();
        Mapapp.dom.say(t("facts.said", { n: summary.totals ? summary.totals.compounds : "" }));
      },
      function (error) {
        if (mine === pending) document.body.classList.remove("counting");
        failed(error);
      }
    );
  }

  function bar() {
    var view = Mapapp.view,
      box = document.getElementById("as-of");
    document.getElementById("county").textContent =
      (Mapapp.config.mode === "share" && view.title) || view.county || view.title || "";
    var snapshots = view.snapshots || [];
    if (snapshots.length && Mapapp.config.mode !== "share") {
      Mapapp.dom.fill(
        box,
        el(
          "label",
          { "class": "inline" },
          el("span", {}, t("as_of.label")),
          el(
            "select",
            {
              "class": "input",
              id: "as-of-select",
              on: {
                change: function (event) {
                  Mapapp.state.set({ as: event.target.value || null });
                }
              }
            },
            el(
              "option",
              { value: "", selected: !Mapapp.state.get().as },
              t("as_of.now", { date: Mapapp.format.date(view.as_of_now || (Mapapp.state.get().as ? "" : view.as_of)) })
            ),
            snapshots.map(function (snapshot) {
              return el(
                "option",
                { value: String(snapshot.id), selected: String(snapshot.id) === Mapapp.state.get().as },
                Mapapp.format.date(snapshot.as_of) + (snapshot.title ? " " + snapshot.title : "")
              );
            })
          )
        )
      );
    } else
      Mapapp.dom.fill(box, el("span", { "class": "as-of-text" }, t("as_of", { date: Mapapp.format.date(view.as_of) })));
    var share = document.getElementById("share-button");
    if (share) share.hidden = Boolean(view.can && view.can.share === false);
  }

  /* Layers that the address names and that are not here: an old link says so instead of showing less in silence. */
  function missing(view) {
    var there = view.layers.map(function (layer) {
      return layer.name;
    });
    return (Mapapp.state.get().on || [])
      .filter(function (name) {
        return name !== "none" && there.indexOf(name) < 0;
      })
      .map(function (name) {
        var known = view.style[name];
        return t("layers.gone", { name: (known && known.title) || name });
      });
  }

  /* What the notes said when the reader put them away: anything else is shown again. */
  var shut = "";

  /** A share says what it is, when it ends, and what has gone since it was made. */
  function notices() {
    var view = Mapapp.view,
      note = document.getElementById("map-note"),
      share = view.share || {};
    var seen = {};
    var said = (view.notices || []).concat((Mapapp.summary && Mapapp.summary.notices) || [], missing(view));
    said = said.filter(function (line) {
      return seen[line] ? false : (seen[line] = true);
    });
    var lines = said.map(function (item) {
      return el("p", {}, item);
    });
    if (share.expires_at) lines.unshift(el("p", {}, t("share.reads", { at: Mapapp.format.instant(share.expires_at) })));
    Mapapp.dom.fill(
      note,
      lines,
      lines.length
        ? el(
            "button",
            {
              type: "button",
              "class": "button quiet",
              "aria-label": t("close"),
              on: {
                click: function () {
                  shut = said.join("\n");
                  note.hidden = true;
                }
              }
            },
            Mapapp.dom.icon("close")
          )
        : null
    );
    note.hidden = !lines.length || (shut !== "" && shut === said.join("\n"));
    var mark = document.getElementById("watermark");
    mark.hidden = !share.watermark;
    if (share.watermark) {
      Mapapp.dom.clear(mark);
      for (var i = 0; i < 12; i++) mark.appendChild(el("span", {}, share.watermark));
    }
  }

  function select(layer, id, options) {
    var sel = Mapapp.state.get().sel;
    if (sel && sel.layer === layer && sel.id === id) {
      if (options && options.fly) showSelection(true);
      return;
    }
    select.fly = Boolean(options && options.fly);
    Mapapp.state.set({ sel: { layer: layer, id: id } });
  }

  function showSelection(fly) {
    var sel = Mapapp.state.get().sel;
    Mapapp.maplayer.select(sel);
    Mapapp.table.mark();
    Mapapp.card.open(sel, function (feature) {
      Mapapp.maplayer.outline(feature.geometry, fly);
    });
  }

  function changed(now, before, why) {
    var same = function (key) {
      return JSON.stringify(now[key]) === JSON.stringify(before[key]);
    };
    if (why === "history" && !same("at")) Mapapp.maplayer.place(now.at || null);
    if (!same("lang") && why === "history") {
      window.location.reload();
      return;
    }
    if (!same("as")) {
      begin();
      return;
    }
    if (!same("f")) refresh();
    else if (!same("on")) {
      Mapapp.legend.draw();
      Mapapp.maplayer.restyle();
    }
    if (!same("sel")) {
      showSelection(select.fly);
      select.fly = false;
    }
  }

  function refresh() {
    Mapapp.legend.draw();
    Mapapp.filters.draw();
    Mapapp.maplayer.restyle();
    return loadSummary();
  }

  function home() {
    if (Mapapp.view && Mapapp.view.bounds) Mapapp.maplayer.fit(Mapapp.view.bounds);
  }

  function language() {
    var state = Mapapp.state.get();
    state.lang = Mapapp.lang === "en" ? "zh" : "en";
    window.location.assign(window.location.pathname + Mapapp.state.address(state));
  }

  function keys(event) {
    if (event.key === "Escape" && Mapapp.state.get().sel) {
      Mapapp.card.close();
      Mapapp.maplayer.map().getContainer().focus();
    }
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      document.getElementById("search-input").focus();
    }
  }

  function skipToTable(event) {
    event.preventDefault();
    Mapapp.table.toggle(true);
    Mapapp.sheet.tab("table");
    if (Mapapp.sheet.isPhone()) Mapapp.sheet.height("full");
    document.getElementById("table").focus();
  }

  function start() {
    Mapapp.config = Mapapp.dom.block("config") || {};
    Mapapp.sheet.build();
    Mapapp.legend.draw();
    Mapapp.facts.draw();
    Mapapp.table.frame();
    Mapapp.search.build();
    var on = function (id, act) {
      var node = document.getElementById(id);
      if (node) node.addEventListener("click", act);
    };
    on("share-button", function () {
      Mapapp.share.open();
    });
    on("print-button", function () {
      Mapapp.print.open();
    });
    on("lang-button", language);
    document.querySelector(".skip").addEventListener("click", skipToTable);
    document.addEventListener("keydown", keys);
    Mapapp.state.on(changed);
    if (dark.addEventListener)
      dark.addEventListener("change", function () {
        begin();
      });
    Mapapp.maplayer.start();
    Mapapp.controls.build();
    var at = Mapapp.state.get().at,
      wish = window.location.hash; // the address loses it when the map moves
    begin(function (view) {
      var place = /^([\d.]+)\/(-?[\d.]+)\/(-?[\d.]+)$/.exec(view.place || ""); // where a share's maker stood
      if (!at && place) Mapapp.maplayer.place({ z: Number(place[1]), lat: Number(place[2]), lon: Number(place[3]) });
      else if (!at && view.bounds) Mapapp.maplayer.fit(view.bounds, true);
      Mapapp.controls.drawStatus();
      if (Mapapp.state.get().sel) showSelection(!at);
      if (wish === "#share-unit" && view.can.share) Mapapp.share.open("unit"); // from the plan page
    });
  }

  /** Ask for the view and its counts at once, then for tiles: a browser asks six questions at a time, and numbers come first. */
  function begin(seen) {
    var counts = loadSummary();
    return loadView().then(function (view) {
      if (seen) seen(view);
      Mapapp.legend.draw();
      Mapapp.filters.draw();
      if (Mapapp.summary) {
        Mapapp.facts.draw();
        Mapapp.table.frame();
      }
      return counts.then(function () {
        Mapapp.maplayer.layers(view);
        Mapapp.maplayer.restyle();
      });
    }, failed);
  }

  Mapapp.app = {
    refresh: function () {
      return Mapapp.view ? refresh() : begin();
    },
    select: select,
    home: home,
    decided: loadSummary
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
