/* This script draws the map's own controls: zoom, whole county, locate, measure, fullscreen; scale, coordinates, hover tip. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var buttons = {};
  var here = null,
    unsay = null;

  function button(name, label, click) {
    buttons[name] = el(
      "button",
      {
        type: "button",
        "class": "control",
        id: "control-" + name,
        "aria-label": label,
        title: label,
        on: { click: click }
      },
      Mapapp.dom.icon(name)
    );
    return buttons[name];
  }

  function pressed(name, on) {
    if (buttons[name]) buttons[name].setAttribute("aria-pressed", String(on));
  }

  function build() {
    var map = Mapapp.maplayer.map();
    var root = document.documentElement;
    var canFull = root.requestFullscreen || root.webkitRequestFullscreen;
    Mapapp.dom.fill(
      document.getElementById("controls"),
      el(
        "div",
        { "class": "control-set zoom" },
        button("plus", t("controls.zoom_in"), function () {
          map.zoomIn();
        }),
        button("minus", t("controls.zoom_out"), function () {
          map.zoomOut();
        })
      ),
      el(
        "div",
        { "class": "control-set" },
        button("home", t("controls.home"), function () {
          Mapapp.app.home();
        }),
        button("measure", t("controls.measure"), function () {
          Mapapp.measure.toggle();
        }),
        canFull ? button("full", t("controls.full"), full) : null
      ),
      el("div", { "class": "control-set locate" }, button("locate", t("controls.locate"), locate))
    );
    pressed("measure", false);
    if (canFull) {
      pressed("full", false);
      ["fullscreenchange", "webkitfullscreenchange"].forEach(function (type) {
        document.addEventListener(type, function () {
          pressed("full", Boolean(document.fullscreenElement || document.webkitFullscreenElement));
        });
      });
    }
    tools();
    status(map);
    tip();
  }

  /* On a phone only "where am I" floats over the map; the other tools stand with the layers, in words. */
  function tools() {
    function tool(icon, label, act) {
      return el(
        "button",
        {
          type: "button",
          "class": "button",
          on: {
            click: function () {
              Mapapp.sheet.height("low");
              act();
            }
          }
        },
        Mapapp.dom.icon(icon),
        label
      );
    }
    Mapapp.dom.fill(
      document.getElementById("tools"),
      tool("measure", t("controls.measure"), Mapapp.measure.toggle),
      tool("home", t("controls.home"), Mapapp.app.home),
      buttons.full ? tool("full", t("controls.full"), full) : null,
      tool("print", t("print.open"), Mapapp.print.open)
    );
  }

  function full() {
    var root = document.documentElement;
    if (document.fullscreenElement || document.webkitFullscreenElement)
      (document.exitFullscreen || document.webkitExitFullscreen).call(document);
    else (root.requestFullscreen || root.webkitRequestFullscreen).call(root);
  }

  /** Ask the device where it is (WGS 84, which agrees with CGCS2000 below the accuracy of any phone). */
  function locate() {
    var map = Mapapp.maplayer.map(),
      L = window.L;
    function say(text, kind) {
      if (unsay) unsay(); // what an earlier try came to
      unsay = Mapapp.dom.toast(text, kind);
    }
    if (!navigator.geolocation) {
      say(t("locate.none"), "error");
      return;
    }
    buttons.locate.classList.add("busy");
    navigator.geolocation.getCurrentPosition(
      function (place) {
        buttons.locate.classList.remove("busy");
        var point = L.latLng(place.coords.latitude, place.coords.longitude);
        var b = Mapapp.view && Mapapp.view.bounds;
        var county = b && L.latLngBounds([b[1], b[0]], [b[3], b[2]]);
        if (county && !county.pad(1).contains(point)) {
          // an empty map would answer nothing
          var km = Mapapp.measure.distance(point, county.getCenter()) / 1000;
          say(t("locate.outside", { km: Mapapp.format.number(km) }), "error");
          return;
        }
        if (here) map.removeLayer(here);
        here = L.layerGroup([
          L.circle(point, {
            radius: place.coords.accuracy,
            stroke: false,
            fillColor: "#3a4a9f",
            fillOpacity: 0.15,
            interactive: false
          }),
          L.circleMarker(point, {
            radius: 8,
            color: "#ffffff",
            weight: 3,
            fillColor: "#3a4a9f",
            fillOpacity: 1,
            interactive: false
          })
        ]).addTo(map);
        map.setView(point, Math.max(map.getZoom(), 17));
        say(t("locate.found", { m: Mapapp.format.number(place.coords.accuracy) }));
      },
      function (error) {
        buttons.locate.classList.remove("busy");
        say(t(error.code === 1 ? "locate.refused" : "locate.failed"), "error");
      },
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 10000 }
    );
  }

  /* Metres on the ground for one screen pixel at the middle of the map (Web Mercator). */
  function metresPerPixel(map) {
    return (40075016.686 * Math.cos((map.getCenter().lat * Math.PI) / 180)) / (256 * Math.pow(2, map.getZoom()));
  }

  /** {metres, pixels, ratio}: the longest round bar that fits, and 1 : n for a screen of 96 dots per inch. */
  function scale(map, width) {
    var per = metresPerPixel(map),
      most = per * (width || 112);
    var power = Math.pow(10, Math.floor(Math.log(most) / Math.LN10));
    var step =
      [5, 2, 1].filter(function (n) {
        return n * power <= most;
      })[0] || 1;
    var ratio = (per * 96) / 0.0254,
      round = Math.pow(10, Math.max(0, Math.floor(Math.log(ratio) / Math.LN10) - 1));
    return { metres: step * power, pixels: (step * power) / per, ratio: Math.round(ratio / round) * round };
  }

  function scaleWords(metres) {
    return metres >= 1000
      ? metres / 1000 + (Mapapp.lang === "en" ? " km" : " 公里")
      : metres + (Mapapp.lang === "en" ? " m" : " 米");
  }

  function status(map) {
    var bar = el("span", { "class": "scale-bar" }),
      words = el("span", {}),
      ratio = el("span", { "class": "muted" });
    var place = el("span", { "class": "place" }),
      grid = el("span", { "class": "place muted grid-place" });
    Mapapp.dom.fill(
      document.getElementById("status"),
      el("span", { "class": "scale", role: "img", id: "scale" }, bar, words),
      ratio,
      place,
      grid
    );
    function draw() {
      var s = scale(map);
      bar.style.width = s.pixels + "px";
      words.textContent = scaleWords(s.metres);
      ratio.textContent = "1 : " + Mapapp.format.number(s.ratio);
      document.getElementById("scale").setAttribute("aria-label", t("controls.scale", { m: scaleWords(s.metres) }));
      coordinates(map.getCenter());
    }
    function coordinates(at) {
      place.textContent =
        (at.lng >= 0 ? "E " : "W ") +
        Math.abs(at.lng).toFixed(5) +
        "°  " +
        (at.lat >= 0 ? "N " : "S ") +
        Math.abs(at.lat).toFixed(5) +
        "°";
      var xy =
        Mapapp.view && Mapapp.config.mode !== "share"
          ? project(at.lat, at.lng, Mapapp.view.crs && (Mapapp.view.crs.code || Mapapp.view.crs))
          : null;
      grid.textContent = xy ? "X " + xy.north.toFixed(1) + "  Y " + xy.east.toFixed(1) : "";
      grid.title = xy
        ? t("controls.grid", { crs: Mapapp.view.crs.name || Mapapp.view.crs.code || Mapapp.view.crs })
        : "";
    }
    map.on("move zoomend viewreset", draw);
    map.on("mousemove", function (event) {
      coordinates(event.latlng);
    });
    map.on("mouseout", function () {
      coordinates(map.getCenter());
    });
    Mapapp.controls.drawStatus = draw;
    draw();
  }

  /** Central meridian and false easting of the CGCS2000 zones (EPSG:4491-4554); null for any other code. */
  function zone(code) {
    var n = Number(String(code || "").replace(/^EPSG:/i, ""));
    if (n >= 4491 && n <= 4501) return { lon: 75 + 6 * (n - 4491), east: (13 + n - 4491) * 1e6 + 500000 };
    if (n >= 4502 && n <= 4512) return { lon: 75 + 6 * (n - 4502), east: 500000 };
    if (n >= 4513 && n <= 4533) return { lon: 75 + 3 * (n - 4513), east: (25 + n - 4513) * 1e6 + 500000 };
    if (n >= 4534 && n <= 4554) return { lon: 75 + 3 * (n - 4534), east: 500000 };
    return null;
  }

  /** Gauss-Krüger on CGCS2000, series in the third flattening to n³ (Karney 2011, doi:10.1007/s00190-011-0445-3, eq. 35): below a millimetre. */
  function project(lat, lon, code) {
    var z = zone(code);
    if (!z) return null;
    var a = 6378137,
      f = 1 / 298.257222101,
      n = f / (2 - f),
      e = Math.sqrt(f * (2 - f));
    var phi = (lat * Math.PI) / 180,
      lam = ((lon - z.lon) * Math.PI) / 180;
    if (Math.abs(lam) > 0.1) return null;
    var tau = Math.tan(phi),
      sig = Math.sinh(e * Math.atanh((e * tau) / Math.sqrt(1 + tau * tau)));
    var tp = tau * Math.sqrt(1 + sig * sig) - sig * Math.sqrt(1 + tau * tau);
    var xi0 = Math.atan2(tp, Math.cos(lam)),
      eta0 = Math.asinh(Math.sin(lam) / Math.sqrt(tp * tp + Math.cos(lam) * Math.cos(lam)));
    var alpha = [
      n / 2 - (2 * n * n) / 3 + (5 * n * n * n) / 16,
      (13 * n * n) / 48 - (3 * n * n * n) / 5,
      (61 * n * n * n) / 240
    ];
    var A = (a / (1 + n)) * (1 + (n * n) / 4 + (n * n * n * n) / 64);
    var xi = xi0,
      eta = eta0;
    alpha.forEach(function (c, i) {
      var j = 2 * (i + 1);
      xi += c * Math.sin(j * xi0) * Math.cosh(j * eta0);
      eta += c * Math.cos(j * xi0) * Math.sinh(j * eta0);
    });
    return { north: A * xi, east: z.east + A * eta };
  }

  function tip() {
    var box = document.getElementById("tip");
    Mapapp.maplayer.onHover(function (hit, point) {
      if (!hit || Mapapp.measure.active()) {
        box.hidden = true;
        return;
      }
      var words = Mapapp.tip.describe(hit);
      Mapapp.dom.fill(box, el("b", {}, words.title), words.sub ? el("span", {}, words.sub) : null);
      box.hidden = false;
      var frame = document.getElementById("main").getBoundingClientRect();
      var left = Math.min(point.x + 16, frame.width - box.offsetWidth - 8);
      var top = point.y + 20 + box.offsetHeight > frame.height ? point.y - box.offsetHeight - 12 : point.y + 16;
      box.style.left = Math.max(8, left) + "px";
      box.style.top = Math.max(8, top) + "px";
    });
  }

  Mapapp.controls = { build: build, pressed: pressed, scale: scale, scaleWords: scaleWords, project: project };
})();
