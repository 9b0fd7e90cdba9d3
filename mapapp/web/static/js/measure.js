/* This script measures distance and area on the map, by mouse, finger or keyboard (Enter sets a point at the cross-hair).

   Lengths are great-circle lengths and areas spherical, on a sphere of 6,371,008.8 m: within half a percent of the
   ellipsoid, which is what a map measure is for. Lengths that count come from the county's metric coordinates. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var R = 6371008.8,
    RAD = Math.PI / 180;
  var on = false,
    points = [],
    drawing = null,
    box = null,
    map = null,
    mover = null,
    ended = false;

  function distance(a, b) {
    var dLat = (b.lat - a.lat) * RAD,
      dLon = (b.lng - a.lng) * RAD;
    var h =
      Math.pow(Math.sin(dLat / 2), 2) + Math.cos(a.lat * RAD) * Math.cos(b.lat * RAD) * Math.pow(Math.sin(dLon / 2), 2);
    return 2 * R * Math.asin(Math.min(1, Math.sqrt(h)));
  }

  function length(list) {
    return list.slice(1).reduce(function (sum, point, i) {
      return sum + distance(list[i], point);
    }, 0);
  }

  /* Chamberlain and Duquette (2007), "Some algorithms for polygons on a sphere". */
  function area(list) {
    var sum = 0;
    list.forEach(function (point, i) {
      var next = list[(i + 1) % list.length];
      sum += (next.lng - point.lng) * RAD * (2 + Math.sin(point.lat * RAD) + Math.sin(next.lat * RAD));
    });
    return Math.abs((sum * R * R) / 2);
  }

  function start() {
    map = Mapapp.maplayer.map();
    if (on || !map) return;
    on = true;
    ended = false;
    points = [];
    drawing = window.L.layerGroup().addTo(map);
    map.doubleClickZoom.disable();
    map.on("click", click).on("dblclick", finish).on("mousemove", move);
    document.addEventListener("keydown", keys, true);
    document.body.classList.add("measuring");
    box = el("div", { "class": "measure-box", role: "status" });
    document.getElementById("main").appendChild(box);
    tell();
    map.getContainer().focus();
    Mapapp.controls.pressed("measure", true);
  }

  function stop() {
    if (!on) return;
    on = false;
    map.off("click", click).off("dblclick", finish).off("mousemove", move);
    document.removeEventListener("keydown", keys, true);
    document.body.classList.remove("measuring");
    map.removeLayer(drawing);
    if (box && box.parentNode) box.parentNode.removeChild(box);
    window.setTimeout(function () {
      map.doubleClickZoom.enable();
    }, 0);
    Mapapp.controls.pressed("measure", false);
  }

  /* After the end the figures stay until the next point begins another measure. */
  function add(point) {
    if (ended) points = [];
    ended = false;
    points.push(point);
    draw();
  }

  function click(event) {
    add(event.latlng);
  }

  function move(event) {
    if (ended) return;
    mover = event.latlng;
    draw();
  }

  function finish() {
    points.pop(); // a double click has set its point twice
    mover = null;
    ended = points.length > 1;
    draw();
  }

  function keys(event) {
    if (event.key === "Escape") {
      event.stopPropagation(); // Esc ends the measuring and leaves the card open
      stop();
      return;
    }
    var inMap = map.getContainer().contains(document.activeElement);
    if (event.key === "Enter" && inMap) {
      mover = null; // the cross-hair sets points now, and the pointer no longer draws
      add(map.getCenter());
    }
    if (event.key === "Backspace" && inMap && points.length) {
      points.pop();
      draw();
    }
  }

  function draw() {
    var L = window.L,
      list = mover && points.length ? points.concat(mover) : points;
    drawing.clearLayers();
    if (list.length > 2)
      L.polygon(list, { stroke: false, fillColor: "#3a4a9f", fillOpacity: 0.12, interactive: false }).addTo(drawing);
    if (list.length > 1) {
      L.polyline(list, { color: "#ffffff", weight: 6, opacity: 0.9, interactive: false }).addTo(drawing);
      L.polyline(list, { color: "#3a4a9f", weight: 3, dashArray: "6 4", interactive: false }).addTo(drawing);
    }
    points.forEach(function (point) {
      L.circleMarker(point, {
        radius: 4,
        color: "#3a4a9f",
        weight: 2,
        fillColor: "#ffffff",
        fillOpacity: 1,
        interactive: false
      }).addTo(drawing);
    });
    tell();
  }

  function areaWords(value) {
    if (Mapapp.lang === "en")
      return value < 10000 ? Mapapp.format.number(value) + " m²" : Mapapp.format.number(value / 10000, 2) + " ha";
    return value < 10000 ? Mapapp.format.number(value) + " ㎡" : (value / 10000).toFixed(2) + " 万㎡";
  }

  function tell() {
    var list = mover && points.length ? points.concat(mover) : points;
    Mapapp.dom.fill(
      box,
      points.length
        ? el(
            "span",
            {},
            t("measure.length"),
            el("b", { id: "measure-length" }, Mapapp.format.words("length_m", length(list)))
          )
        : el("span", { "class": "hint" }, t(Mapapp.sheet.isPhone() ? "measure.hint_touch" : "measure.hint")),
      list.length > 2
        ? el("span", {}, t("measure.area"), el("b", { id: "measure-area" }, areaWords(area(list))))
        : null,
      points.length
        ? el(
            "button",
            {
              type: "button",
              "class": "button quiet",
              on: {
                click: function () {
                  points = [];
                  mover = null;
                  ended = false;
                  draw();
                  map.getContainer().focus();
                }
              }
            },
            t("measure.again")
          )
        : null,
      el("button", { type: "button", "class": "button quiet", on: { click: stop } }, t("measure.stop"))
    );
  }

  Mapapp.measure = {
    toggle: function () {
      if (on) stop();
      else start();
    },
    active: function () {
      return on;
    },
    distance: distance,
    area: area
  };
})();
