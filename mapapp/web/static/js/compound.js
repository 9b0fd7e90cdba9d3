/* This script adds to a compound's page what can be done on it: mark the compound on its small map, decide findings, print. */
(function () {
  "use strict";
  var Mapapp = window.Mapapp = window.Mapapp || {};

  /* On the map page these move the map; here a click opens the map at the place. */
  Mapapp.maplayer = { flash: function (at) { window.location.assign("/?at=18/" + at[1].toFixed(5) + "/" + at[0].toFixed(5) + "&on=compounds,candidates,manholes,pipes"); } };
  Mapapp.sheet = { tab: function () {}, foldLeft: function () {} };

  /* The map keeps its place and scale when the page becomes paper and back again. */
  function smallMap(id) {
    var map = window.map_mapapp;
    if (!map || !map.setView) return;
    map.scrollWheelZoom.disable(); // the wheel scrolls the page
    var holder = document.getElementById("small-map"), b = JSON.parse(holder.getAttribute("data-bounds"));
    map.fitBounds([[b[1], b[0]], [b[3], b[2]]], { animate: false, maxZoom: 19 });
    map.eachLayer(function (layer) {
      if (!layer.select || !layer.pick) return;
      var css = window.getComputedStyle(document.documentElement);
      [["accent", "--accent"], ["paper", "--paper"], ["ink", "--ink"], ["soft", "--ink-2"]].forEach(function (pair) { layer.options[pair[0]] = css.getPropertyValue(pair[1]).trim() || layer.options[pair[0]]; });
      layer.select("compounds", id);
    });
    // the size on paper is set before the paper's own style applies, so that the map is drawn for it
    var resize = function (width, height) {
      var zoom = map.getZoom();
      holder.style.width = width;
      holder.style.height = height;
      map.invalidateSize({ animate: false });
      map.setView([(b[1] + b[3]) / 2, (b[0] + b[2]) / 2], zoom, { animate: false });
    };
    window.addEventListener("beforeprint", function () { resize("89mm", "42mm"); });
    window.addEventListener("afterprint", function () { resize("", ""); });
    if (window.L) window.L.control.scale({ imperial: false, maxWidth: 120 }).addTo(map);
    Mapapp.smallMap = map;
  }

  /** Findings with their buttons, in place of the plain list. */
  function findings(id) {
    var root = document.getElementById("findings");
    if (!root) return;
    Promise.all([Mapapp.api.get("/view" + Mapapp.state.query()), Mapapp.api.get("/features/compounds/" + encodeURIComponent(id) + Mapapp.state.query())]).then(function (both) {
      Mapapp.view = both[0];
      var list = Mapapp.findings.list(both[1]);
      if (list) Mapapp.dom.fill(root, list);
    }, function () { /* the plain list stays */ });
  }

  function start() {
    var id = document.getElementById("onepage").getAttribute("data-id");
    Mapapp.config = Mapapp.dom.block("config") || {};
    document.getElementById("print").addEventListener("click", function () { window.print(); });
    smallMap(id);
    findings(id);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
