/* This script lays two maps of one place over another, cut along a line that is dragged: status then and status now. */
(function () {
  "use strict";
  function start() {
    var config = JSON.parse(document.getElementById("config").textContent), L = window.L;
    var box = document.getElementById("swipe");
    if (!box || !L || !config.tiles || !config.bounds) return;
    var line = document.getElementById("swipe-line"), handle = document.getElementById("swipe-handle");
    var later = document.getElementById("map-b"), quiet = false, layers = {};
    var css = window.getComputedStyle(document.documentElement);

    function make(id, state) {
      var map = L.map(id, { zoomControl: id === "map-a", attributionControl: false, maxZoom: 19 });
      map.fitBounds([[config.bounds[1], config.bounds[0]], [config.bounds[3], config.bounds[2]]], { padding: [8, 8], animate: false });
      var sources = [];
      if (config.streets) sources.push({ id: "streets", url: config.streets, style: config.style.streets, key: "street_id", interactive: false });
      if (config.tiles[state]) sources.push({ id: "compounds", url: config.tiles[state], style: config.style.compounds, key: "compound_id", bounds: config.bounds });
      layers[id] = window.MapappTiles.layer({ sources: sources, paper: css.getPropertyValue("--paper").trim(), ink: css.getPropertyValue("--ink").trim(), accent: css.getPropertyValue("--accent").trim() }).addTo(map);
      layers[id].on("pick", function (event) { if (event.layer === "compounds" && event.id) row(String(event.id), true); });
      return map;
    }

    var maps = [make("map-a", config.a), make("map-b", config.b)];
    maps.forEach(function (map, i) {
      map.on("move", function () {
        if (quiet) return;
        quiet = true; // the other one follows without answering back
        maps[1 - i].setView(map.getCenter(), map.getZoom(), { animate: false });
        quiet = false;
      });
    });

    function cut() {
      var share = Number(line.value), clip = "inset(0 0 0 " + share + "%)";
      later.style.setProperty("-webkit-clip-path", clip);
      later.style.setProperty("clip-path", clip);
      handle.style.setProperty("left", share + "%");
    }
    line.addEventListener("input", cut);
    handle.addEventListener("pointerdown", function (event) {
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    function drag(event) {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      var frame = box.getBoundingClientRect();
      line.value = String(Math.max(0, Math.min(100, 100 * (event.clientX - frame.left) / frame.width)));
      cut();
    }
    handle.addEventListener("pointermove", drag);
    handle.addEventListener("pointerup", drag); // the last move may have been left out when the hand was quick
    cut();

    /* The time slider moves the later map at once; the table follows when the hand is taken off. */
    var time = document.getElementById("time"), said = document.getElementById("time-out");
    function at() { return config.states[Number(time.value)]; }
    if (time) {
      time.value = String(Math.max(0, config.states.map(function (s) { return s.id; }).indexOf(config.b)));
      time.addEventListener("input", function () {
        said.textContent = at().as_of;
        document.getElementById("label-b").textContent = at().as_of;
        if (config.tiles[at().id]) layers["map-b"].setSource("compounds", { url: config.tiles[at().id] });
      });
      time.addEventListener("change", function () {
        if (at().id !== config.b) window.location.search = "?a=" + encodeURIComponent(config.a) + "&b=" + encodeURIComponent(at().id);
      });
    }

    var only = document.getElementById("only"), rows = Array.prototype.slice.call(document.querySelectorAll("#changes tr[data-id]"));
    only.addEventListener("change", function () {
      var ids = rows.map(function (one) { return one.getAttribute("data-id"); });
      Object.keys(layers).forEach(function (id) { layers[id].setFilter("compounds", only.checked ? { compound_id: ids } : null); });
    });

    function row(id, scroll) {
      rows.forEach(function (one) {
        var mine = one.getAttribute("data-id") === id;
        one.classList.toggle("chosen-row", mine);
        if (mine && scroll) one.scrollIntoView({ block: "nearest" });
      });
      Object.keys(layers).forEach(function (key) { layers[key].select("compounds", id); });
    }
    rows.forEach(function (one) {
      one.addEventListener("click", function (event) {
        if (event.target.closest("a")) return;
        row(one.getAttribute("data-id"), false);
        var place = (one.getAttribute("data-at") || "").split(",").map(Number);
        if (place.length === 2) maps[0].setView([place[1], place[0]], Math.max(maps[0].getZoom(), 17), { animate: false });
      });
    });
    box.setAttribute("data-ready", "1");
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
