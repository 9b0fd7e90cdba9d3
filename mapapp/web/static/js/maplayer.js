/* This script stands between the page and the map: it alone knows Leaflet and the canvas tile layer. */
(function () {
  "use strict";
  var Mapapp = window.Mapapp = window.Mapapp || {};
  var the = null, hoverListeners = [], marks = null, moving = false;

  function map() { return the; }

  /** The Folium map of the page: named by the config, else the one Leaflet map there is. */
  function find() {
    var name = Mapapp.config.map;
    if (name && window[name]) return window[name];
    return null;
  }

  function start() {
    the = find();
    if (!the) return;
    var at = Mapapp.state.get().at;
    if (at) the.setView([at.lat, at.lon], at.z, { animate: false });
    marks = window.L.layerGroup().addTo(the);
    the.on("moveend", function () {
      if (moving || document.body.classList.contains("printing")) return;
      var c = the.getCenter();
      Mapapp.state.set({ at: { z: the.getZoom(), lat: Number(c.lat.toFixed(5)), lon: Number(c.lng.toFixed(5)) } }, { replace: true });
    });
    the.getContainer().setAttribute("aria-label", Mapapp.t("map.label"));
    the.getContainer().setAttribute("role", "application");
  }

  function fit(bounds, first) {
    var pad = Mapapp.sheet.padding();
    the.fitBounds([[bounds[1], bounds[0]], [bounds[3], bounds[2]]], { paddingTopLeft: [pad.left, pad.top], paddingBottomRight: [pad.right, pad.bottom], maxZoom: 18, animate: !first });
  }

  Mapapp.maplayer = { start: start, map: map, fit: fit };
})();
