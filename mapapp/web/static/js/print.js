/* This script lays the view out as a sheet of paper (A4 or A3, landscape): title, map, legend, scale, north, date, source.
   The print button and Ctrl+P open a preview; the browser's own print command prints the same sheet without one. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var size = "a4",
    center = null,
    zoom = null,
    opened = false,
    unasked = false,
    screen = null;

  function north() {
    return Mapapp.dom.svg(
      "svg",
      { viewBox: "0 0 24 40", "class": "north", role: "img", "aria-label": t("print.north") },
      Mapapp.dom.svg("path", {
        d: "M12 2 20 30 12 25 4 30z",
        fill: "none",
        stroke: "currentColor",
        "stroke-width": 1.4
      }),
      Mapapp.dom.svg("path", { d: "M12 2v23l-8 5z", fill: "currentColor" }),
      Mapapp.dom.svg(
        "text",
        { x: 12, y: 39, "text-anchor": "middle", "font-size": 9, "font-weight": 600, fill: "currentColor" },
        "N"
      )
    );
  }

  function totals() {
    var s = Mapapp.summary && Mapapp.summary.totals;
    if (!s) return null;
    var list = [
      ["compounds", s.compounds],
      ["households", s.households],
      ["area_m2", s.floor_area_m2],
      ["buildings", s.buildings],
      ["money_wan", s.invest_total_wan]
    ];
    return el(
      "p",
      { "class": "print-totals" },
      list
        .filter(function (item) {
          return item[1] !== undefined;
        })
        .map(function (item) {
          return el("span", {}, Mapapp.format.words(item[0], item[1]));
        })
    );
  }

  function draw() {
    var map = Mapapp.maplayer.map();
    var words = Mapapp.filters.words();
    var s = Mapapp.controls.scale(map, 112);
    var sheet = document.getElementById("print-sheet");
    var frame = document.getElementById("map-frame");
    var view = Mapapp.view || {};
    var today = new Date();
    Mapapp.dom.fill(
      sheet.querySelector(".print-head"),
      el("h1", {}, sheet.querySelector("#print-title").value),
      el(
        "p",
        {},
        t("as_of", { date: Mapapp.format.date(Mapapp.summary && Mapapp.summary.as_of) }),
        words.map(function (item) {
          return el("span", {}, " · ", item.label, Mapapp.lang === "en" ? ": " : "：", item.text);
        })
      ),
      totals()
    );
    var bar = el("span", { "class": "scale-bar", css: { width: s.pixels + "px" } });
    Mapapp.dom.fill(
      sheet.querySelector(".print-side"),
      north(),
      el("h2", {}, t("print.legend")),
      el("ul", { "class": "print-legend" }, Mapapp.printLegend.list()),
      el("p", { "class": "scale" }, bar, el("span", {}, Mapapp.controls.scaleWords(s.metres))),
      el("p", { "class": "small" }, t("print.about_scale", { n: Mapapp.format.number(s.ratio) }))
    );
    Mapapp.printLegend.fit(sheet.querySelector(".print-legend"));
    Mapapp.dom.fill(
      sheet.querySelector(".print-foot"),
      el(
        "span",
        {},
        t("print.crs", { crs: (view.crs && (view.crs.name || view.crs.code)) || view.crs || t("unknown_short") })
      ),
      el("span", {}, t("print.source", { county: view.county || "" })),
      el(
        "span",
        {},
        t("print.made", {
          date: Mapapp.format.date(
            today.getFullYear() +
              "-" +
              ("0" + (today.getMonth() + 1)).slice(-2) +
              "-" +
              ("0" + today.getDate()).slice(-2)
          )
        })
      ),
      el("b", {}, (view.share && view.share.watermark) || t("print.internal"))
    );
    if (frame.parentNode !== sheet.querySelector(".print-map")) sheet.querySelector(".print-map").appendChild(frame);
    map.invalidateSize({ animate: false, pan: unasked });
  }

  function pick(next) {
    size = next;
    document.getElementById("print-sheet").setAttribute("data-size", size);
    document.getElementById("print-a3").media = size === "a3" ? "all" : "not all";
    var map = Mapapp.maplayer.map();
    draw();
    map.setView(center, zoom, { animate: false });
    draw();
  }

  function open() {
    if (opened) return;
    opened = true;
    var map = Mapapp.maplayer.map();
    center = map.getCenter();
    zoom = map.getZoom();
    var sheet = document.getElementById("print-sheet");
    var title = (Mapapp.view && (Mapapp.view.title || Mapapp.view.county)) || "";
    Mapapp.dom.fill(
      sheet,
      el(
        "div",
        { "class": "print-bar" },
        el(
          "label",
          { "class": "inline" },
          el("span", {}, t("print.title")),
          el("input", {
            type: "text",
            "class": "input",
            id: "print-title",
            value: title + " · " + t("page.one_map"),
            maxlength: 80,
            on: { input: draw }
          })
        ),
        el(
          "label",
          { "class": "inline" },
          el("span", {}, t("print.paper")),
          el(
            "select",
            {
              "class": "input",
              id: "print-size",
              on: {
                change: function (event) {
                  pick(event.target.value);
                }
              }
            },
            el("option", { value: "a4", selected: size === "a4" }, "A4"),
            el("option", { value: "a3", selected: size === "a3" }, "A3")
          )
        ),
        el(
          "button",
          {
            type: "button",
            "class": "button",
            "aria-label": t("controls.zoom_in"),
            on: {
              click: function () {
                Mapapp.maplayer.map().zoomIn();
              }
            }
          },
          Mapapp.dom.icon("plus")
        ),
        el(
          "button",
          {
            type: "button",
            "class": "button",
            "aria-label": t("controls.zoom_out"),
            on: {
              click: function () {
                Mapapp.maplayer.map().zoomOut();
              }
            }
          },
          Mapapp.dom.icon("minus")
        ),
        el("span", { "class": "bar-space" }),
        el(
          "button",
          {
            type: "button",
            "class": "button primary",
            id: "print-now",
            on: {
              click: function () {
                window.print();
              }
            }
          },
          t("print.now")
        ),
        el("button", { type: "button", "class": "button", id: "print-close", on: { click: close } }, t("print.close"))
      ),
      el(
        "div",
        { "class": "paper" },
        el("header", { "class": "print-head" }),
        el("div", { "class": "print-map" }),
        el("aside", { "class": "print-side" }),
        el("footer", { "class": "print-foot" })
      )
    );
    sheet.hidden = false;
    document.body.classList.add("printing");
    screen = Mapapp.view.style;
    Mapapp.maplayer.dress(Mapapp.view.light, sheet.querySelector(".paper"));
    if (unasked) {
      sheet.setAttribute("data-size", size);
      draw();
      draw(); // the scale bar is that of the map as it lies on the sheet now
      Mapapp.maplayer.tiles().flush();
      copy(document.getElementById("map-frame"));
      return;
    }
    map.on("moveend zoomend", draw);
    document.addEventListener("keydown", keys, true);
    pick(size);
    document.getElementById("print-now").focus();
  }

  /* One picture of the map over the map: canvases that were drawn anew since the last frame come out of a printer blank. */
  function copy(frame) {
    var ratio = 2,
      box = frame.getBoundingClientRect();
    var canvas = el("canvas", {
      "class": "print-copy",
      width: Math.round(box.width * ratio),
      height: Math.round(box.height * ratio)
    });
    var ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    ctx.fillStyle = window.getComputedStyle(frame.parentNode).backgroundColor;
    ctx.fillRect(0, 0, box.width, box.height);
    Array.prototype.forEach.call(
      frame.querySelectorAll("canvas.leaflet-tile, img.leaflet-tile-loaded, canvas.mapapp-over"),
      function (node) {
        var r = node.getBoundingClientRect();
        if (r.width && r.height) ctx.drawImage(node, r.left - box.left, r.top - box.top, r.width, r.height);
      }
    );
    frame.parentNode.appendChild(canvas);
  }

  /* The browser lays out its pages as soon as this returns, so nothing is fetched or awaited here. */
  function before() {
    if (opened || !Mapapp.view || !Mapapp.maplayer.tiles()) return;
    unasked = true;
    open();
  }

  function after() {
    if (!unasked) return;
    close();
    unasked = false;
  }

  /* Print once every tile that the sheet needs is here, or after a while all the same. */
  function printWhenReady() {
    var tiles = Mapapp.maplayer.tiles(),
      until = Date.now() + 8000;
    (function look() {
      if (!opened) return;
      if (tiles && tiles.isLoading() && Date.now() < until) window.setTimeout(look, 100);
      else
        window.setTimeout(function () {
          if (opened) window.print();
        }, 200);
    })();
  }

  function shortcut(event) {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "p") return;
    if (!Mapapp.view || !Mapapp.maplayer.tiles()) return;
    event.preventDefault();
    open();
    printWhenReady();
  }

  function keys(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  }

  function close() {
    if (!opened) return;
    opened = false;
    var map = Mapapp.maplayer.map(),
      seen = map.getCenter();
    map.off("moveend zoomend", draw);
    document.removeEventListener("keydown", keys, true);
    var main = document.getElementById("main");
    main.insertBefore(document.getElementById("map-frame"), main.firstChild);
    if (!unasked) document.body.classList.remove("printing");
    Mapapp.maplayer.dress(screen);
    document.getElementById("print-sheet").hidden = true;
    map.invalidateSize({ animate: false, pan: unasked });
    if (unasked) {
      document.body.classList.remove("printing"); // only now: the address takes no note of a place that nobody chose
      Mapapp.maplayer.tiles().flush();
      return;
    }
    map.setView(seen, map.getZoom(), { animate: false });
    document.getElementById("print-button").focus();
  }

  window.addEventListener("beforeprint", before);
  window.addEventListener("afterprint", after);
  document.addEventListener("keydown", shortcut);

  Mapapp.print = { open: open, close: close };
})();
