/* This script lets a planner draw on the map, a link or an area, point by point; and shows what was drawn. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var the = null,
    kept = null,
    live = null,
    now = null;

  function start(map) {
    the = map;
    kept = window.L.layerGroup().addTo(the);
    live = window.L.layerGroup().addTo(the);
    the.on("click", function (event) {
      if (!now) return;
      now.points.push([round(event.latlng.lng), round(event.latlng.lat)]);
      redraw();
    });
    document.addEventListener("keydown", function (event) {
      if (!now) return;
      if (event.key === "Escape") {
        event.stopPropagation();
        stop();
      } else if (event.key === "Enter" && event.target === the.getContainer()) done();
      else if (event.key === "Backspace" && event.target === the.getContainer()) back();
    }, true);
  }

  function round(value) {
    return Math.round(value * 1e7) / 1e7;
  }

  function latlngs(points) {
    return points.map(function (p) {
      return [p[1], p[0]];
    });
  }

  function shape(kind, points, style) {
    var options = Object.assign({ interactive: false, color: "#3a4a9f", weight: 3, dashArray: "2 6" }, style);
    return kind === "area" ? window.L.polygon(latlngs(points), options) : window.L.polyline(latlngs(points), options);
  }

  function enough() {
    return now.points.length >= (now.kind === "area" ? 3 : 2);
  }

  function redraw() {
    live.clearLayers();
    if (!now) return;
    if (now.points.length > 1) shape(now.kind, now.points, { dashArray: null }).addTo(live);
    now.points.forEach(function (p) {
      window.L.circleMarker([p[1], p[0]], { radius: 5, color: "#3a4a9f", fillColor: "#fff", fillOpacity: 1, interactive: false }).addTo(live);
    });
    document.getElementById("plan-draw-done").disabled = !enough();
    document.getElementById("plan-draw-back").disabled = !now.points.length;
  }

  /** Begin to draw a "link" or an "area"; `then` gets the points, longitude first. */
  function draw(kind, then) {
    stop();
    now = { kind: kind, points: [], then: then };
    var button = function (id, key, act, extra) {
      return el("button", { type: "button", id: id, "class": "button " + (extra || ""), on: { click: act } }, t(key));
    };
    var bar = document.getElementById("plan-draw");
    Mapapp.dom.fill(
      bar,
      el("p", {}, t(kind === "area" ? "plan.area_hint" : "plan.draw_hint")),
      el(
        "div",
        { "class": "row" },
        button("plan-draw-done", "plan.draw_done", done, "primary"),
        button("plan-draw-back", "plan.draw_back", back),
        button("plan-draw-stop", "plan.draw_stop", stop)
      )
    );
    bar.hidden = false;
    the.getContainer().classList.add("drawing");
    the.doubleClickZoom.disable();
    the.getContainer().focus({ preventScroll: true });
    document.querySelector(".plan-map").scrollIntoView({ block: "nearest" });
    Mapapp.planMap.labels();
    redraw();
  }

  function back() {
    now.points.pop();
    redraw();
  }

  function done() {
    if (!enough()) {
      Mapapp.dom.toast(t("plan.draw_few"), "error");
      return;
    }
    var made = now;
    stop();
    made.then(made.points);
  }

  function stop() {
    now = null;
    if (!the) return;
    live.clearLayers();
    document.getElementById("plan-draw").hidden = true;
    the.getContainer().classList.remove("drawing");
    the.doubleClickZoom.enable();
    Mapapp.planMap.labels();
  }

  /** Show the drawings of the plan to be. */
  function show(state, candidate) {
    kept.clearLayers();
    state.areas.forEach(function (ring) {
      shape("area", ring, { color: "#5b6470", weight: 2, fillOpacity: 0.15 }).addTo(kept);
    });
    state.drawn.forEach(function (one) {
      shape("link", one.line).addTo(kept);
    });
    if (candidate) shape("link", candidate, { dashArray: null }).addTo(kept);
  }

  Mapapp.planDraw = {
    start: start,
    draw: draw,
    show: show,
    active: function () {
      return now !== null;
    }
  };
})();
