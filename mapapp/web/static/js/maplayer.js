/* This script stands between the page and the map: it alone knows Leaflet and the canvas tile layer. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var the = null,
    tiles = null,
    marks = null,
    hover = null,
    following = true,
    failedOnce = false,
    narrowing = 0;

  /* Filters of compounds that the tiles of a layer can answer themselves; compounds answer all that they carry. */
  var DIRECT = { findings: ["rule"], verdicts: ["verdict"] };
  /* Layers that hang on a compound: what filters compounds narrows them too. */
  var HANGS = ["compounds", "findings", "verdicts", "links", "candidates"];

  var tries = {},
    again = {};

  function map() {
    return the;
  }

  /** The Folium map of the page, named by the config. */
  function find() {
    var name = Mapapp.config.map;
    if (name && window[name] && window[name].setView) return window[name];
    var node = document.querySelector("#map-frame .folium-map");
    return node && window[node.id] && window[node.id].setView ? window[node.id] : null;
  }

  function start() {
    the = find();
    if (!the) throw new Error("the page holds no map");
    the.eachLayer(function (layer) {
      if (layer.setFilter && layer.select && layer.pick) tiles = layer;
    });
    var at = Mapapp.state.get().at;
    if (at) the.setView([at.lat, at.lon], at.z, { animate: false });
    marks = window.L.layerGroup().addTo(the);
    the.on("moveend", function () {
      if (!following || document.body.classList.contains("printing")) return;
      var c = the.getCenter();
      Mapapp.state.set(
        { at: { z: the.getZoom(), lat: Number(c.lat.toFixed(5)), lon: Number(c.lng.toFixed(5)) } },
        { replace: true }
      );
    });
    var box = the.getContainer();
    box.setAttribute("aria-label", Mapapp.t("map.label"));
    box.setAttribute("role", "application");
    box.setAttribute("tabindex", "0");
  }

  /* What is wrong with a compound is an outline around it: its colour and letter go on saying its status, and a click
     means the compound. Other findings are marked where they are. */
  var OUTLINES = "findings about compounds";

  /* A relapse is a flag beside the status, so it is an outline as well. */
  var RELAPSES = "relapses";

  /* The layer whose tiles an outline is drawn from. */
  var FROM = {};
  FROM[OUTLINES] = "findings";
  FROM[RELAPSES] = "compounds";

  /* A unit's link carries findings as one symbol each, without an outline. */
  function outlined(layer) {
    return layer.name === "findings" && layer.geometry !== "point";
  }

  function relapses(layer, view) {
    return layer.name === "compounds" && Boolean(view.style.relapses) && (layer.attributes || []).indexOf("relapsed") >= 0;
  }

  function sourcesOf(layer, view) {
    var style = view.style[layer.name];
    var source = {
      id: layer.name,
      url: layer.tiles,
      style: style,
      key: layer.key,
      bounds: layer.bounds || undefined,
      minZoom: style.min_zoom || 0,
      maxZoom: 22,
      visible: Mapapp.legend.shown().indexOf(layer.name) >= 0,
      interactive: ["survey_areas", "waters"].indexOf(layer.name) < 0
    };
    if (relapses(layer, view))
      return [source, Object.assign({}, source, { id: RELAPSES, interactive: false, style: view.style.relapses })];
    if (!outlined(layer)) return [source];
    return [
      Object.assign({}, source, {
        id: OUTLINES,
        interactive: false,
        style: Object.assign({}, style, {
          classes: style.classes.map(function (one) {
            return Object.assign({}, one, { opacity: 0, letter: "", hatch: false, radius: 3 });
          })
        })
      }),
      source
    ];
  }

  /** Give the canvas layer its sources, or new addresses when the snapshot or the data changed. */
  function layers(view) {
    var wanted = view.layers.filter(function (layer) {
      return layer.tiles && view.style[layer.name];
    });
    wanted.sort(function (a, b) {
      return order(view, a) - order(view, b);
    });
    var sources = [].concat.apply(
      [],
      wanted.map(function (layer) {
        return sourcesOf(layer, view);
      })
    );
    if (!tiles) tiles = window.MapappTiles.layer({ sources: [] }).addTo(the);
    if (!tiles.mapappHeard) listen();
    paint();
    sources.forEach(function (source) {
      tiles.setSource(source.id, source);
    });
  }

  /* Labels and the selection wear the page's own colours, dark mode included; on paper the paper's. */
  function paint(node) {
    var css = window.getComputedStyle(node || document.documentElement);
    [
      ["accent", "--accent"],
      ["paper", "--paper"],
      ["ink", "--ink"],
      ["soft", "--ink-2"]
    ].forEach(function (pair) {
      tiles.options[pair[0]] = css.getPropertyValue(pair[1]).trim() || tiles.options[pair[0]];
    });
  }

  /** Dress the map in another style table, without fetching anything: light for paper, dark for the screen. */
  function dress(style, node) {
    Mapapp.view.style = style;
    paint(node);
    Mapapp.view.layers.forEach(function (layer) {
      if (layer.tiles && style[layer.name])
        sourcesOf(layer, Mapapp.view).forEach(function (source) {
          tiles.setStyle(source.id, source.style);
        });
    });
  }

  function order(view, layer) {
    return view.style[layer.name].order || 0;
  }

  function listen() {
    tiles.mapappHeard = true;
    tiles.on("pick", function (event) {
      if (Mapapp.measure.active() || !event.layer) return;
      // a verdict is the compound's: its card answers
      if (event.id !== null && event.id !== undefined)
        Mapapp.app.select(event.layer === "verdicts" ? "compounds" : event.layer, String(event.id));
      else if (event.latlng) the.setView(event.latlng, the.getZoom() + 2); // many in one spot: come closer
    });
    tiles.on("hover", function (event) {
      if (hover)
        hover(
          event.layer ? event : null,
          event.containerPoint || (event.latlng ? the.latLngToContainerPoint(event.latlng) : { x: 0, y: 0 })
        );
    });
    tiles.on("error", failed);
  }

  /* A large layer's tiles are made on first use: ask again until they are there. Anything else is said once. */
  function failed(event) {
    var id = event.layer;
    if (event.status === 503 && (tries[id] = (tries[id] || 0) + (again[id] ? 0 : 1)) <= 40) {
      if (again[id]) return;
      if (tries[id] === 1) Mapapp.dom.toast(Mapapp.t("map.preparing"));
      again[id] = window.setTimeout(function () {
        again[id] = 0;
        tiles.setSource(id, {
          url: Mapapp.view.layers.filter(function (layer) {
            return layer.name === (FROM[id] || id);
          })[0].tiles
        });
      }, 3000);
    } else if (!failedOnce) {
      failedOnce = true;
      Mapapp.dom.toast(Mapapp.t(event.status ? "map.tiles_failed" : "map.tiles_lost"), "error", {
        label: Mapapp.t("retry"),
        act: function () {
          failedOnce = false;
          tiles.retry();
        }
      });
    }
  }

  function words(values) {
    return values.map(function (value) {
      return value === "?" ? null : value;
    });
  }

  /** Show the layers and classes that legend and filters ask for; no tile is fetched for it. */
  function restyle() {
    if (!tiles || !Mapapp.view) return;
    var shown = Mapapp.legend.shown(),
      f = Mapapp.state.get().f,
      mine = ++narrowing;
    Mapapp.view.layers.forEach(function (layer) {
      if (!layer.tiles) return;
      sourcesOf(layer, Mapapp.view).forEach(function (source) {
        tiles.setVisible(source.id, source.visible);
      });
      var filter = {},
        ask = false,
        any = false;
      Object.keys(f).forEach(function (column) {
        var dot = column.indexOf(".");
        if ((dot >= 0 && column.slice(0, dot) !== layer.name) || (dot < 0 && HANGS.indexOf(layer.name) < 0)) return;
        var plain = dot < 0 ? column : column.slice(dot + 1);
        any = true;
        var direct = layer.name === "compounds" ? layer.attributes : DIRECT[layer.name];
        if (dot < 0 && (direct || []).indexOf(plain) < 0) ask = true;
        filter[plain] = words(f[column]);
      });
      if (!ask) narrow(layer, any ? filter : null);
      else if (shown.indexOf(layer.name) >= 0) byIds(layer, mine);
    });
  }

  function narrow(layer, filter) {
    if (relapses(layer, Mapapp.view)) tiles.setFilter(RELAPSES, Object.assign({ relapsed: [true] }, filter));
    if (!outlined(layer)) {
      tiles.setFilter(layer.name, filter);
      return;
    }
    var others = Mapapp.view.layers
      .map(function (one) {
        return one.name;
      })
      .filter(function (other) {
        return other !== "compounds";
      });
    tiles.setFilter(layer.name, Object.assign({}, filter, { layer: others.concat(null) }));
    tiles.setFilter(OUTLINES, Object.assign({}, filter, { layer: ["compounds"] }));
  }

  /* A filter that tiles cannot answer (what hangs on a compound knows nothing of its street): ask the server which ones pass. */
  function byIds(layer, mine) {
    var ids = [],
      name = layer.name,
      key = layer.key;
    (function page(offset) {
      Mapapp.api.get("/features/" + name + Mapapp.state.query({ columns: key, offset: offset, limit: 1000 })).then(
        function (answer) {
          if (mine !== narrowing) return;
          answer.rows.forEach(function (row) {
            ids.push(row._id);
          });
          if (ids.length < answer.total && answer.rows.length && offset < 20000) {
            page(offset + 1000);
            return;
          }
          var filter = {};
          filter[key] = ids;
          narrow(layer, filter);
        },
        function () {
          /* the summary tells the same failure, once */
        }
      );
    })(0);
  }

  function select(sel) {
    marks.clearLayers();
    if (!tiles) return;
    if (!sel) {
      tiles.select(null);
      return;
    }
    var shown = Mapapp.legend.shown();
    tiles.select(
      sel.layer === "compounds" && shown.indexOf("compounds") < 0 && shown.indexOf("verdicts") >= 0
        ? "verdicts"
        : sel.layer,
      sel.id
    );
  }

  function boundsOf(geometry) {
    var box = null;
    (function walk(node) {
      if (typeof node[0] === "number") {
        var point = window.L.latLng(node[1], node[0]);
        if (box) box.extend(point);
        else box = window.L.latLngBounds(point, point);
      } else node.forEach(walk);
    })(geometry.coordinates || []);
    return box;
  }

  /** Bring the selected feature into the part of the map that no panel covers; zoom only when asked to. */
  function outline(geometry, fly) {
    if (!geometry || !geometry.coordinates) return;
    var box = boundsOf(geometry),
      pad = Mapapp.sheet.padding();
    if (!box) return;
    var size = the.getSize(),
      a = the.latLngToContainerPoint(box.getNorthWest()),
      b = the.latLngToContainerPoint(box.getSouthEast());
    var seen = a.x >= pad.left && b.x <= size.x - pad.right && a.y >= pad.top && b.y <= size.y - pad.bottom;
    if (fly)
      the.fitBounds(box, {
        paddingTopLeft: [pad.left, pad.top],
        paddingBottomRight: [pad.right, pad.bottom],
        maxZoom: Math.max(17, the.getZoom())
      });
    else if (!seen && the.getBounds().intersects(box))
      the.panInside(box.getCenter(), {
        paddingTopLeft: [pad.left + 40, pad.top + 40],
        paddingBottomRight: [pad.right + 40, pad.bottom + 40]
      });
  }

  /** Point at a place ([lon, lat]) with a ring that fades. */
  function flash(at) {
    var point = window.L.latLng(at[1], at[0]);
    marks.clearLayers();
    window.L.circleMarker(point, { radius: 14, color: "#ffffff", weight: 7, fill: false, interactive: false }).addTo(
      marks
    );
    window.L.circleMarker(point, {
      radius: 14,
      color: "#3a4a9f",
      weight: 3,
      fill: false,
      interactive: false,
      className: "flash"
    }).addTo(marks);
    go(at, 18);
  }

  function go(at, zoom) {
    var pad = Mapapp.sheet.padding(),
      box = window.L.latLngBounds([
        [at[1], at[0]],
        [at[1], at[0]]
      ]);
    the.fitBounds(box, {
      paddingTopLeft: [pad.left, pad.top],
      paddingBottomRight: [pad.right, pad.bottom],
      maxZoom: Math.max(zoom || 17, Math.min(the.getZoom(), 18))
    });
  }

  function place(at) {
    if (!at) {
      Mapapp.app.home();
      return;
    }
    following = false;
    the.setView([at.lat, at.lon], at.z, { animate: false });
    following = true;
  }

  function fit(bounds, first) {
    var pad = Mapapp.sheet.padding();
    if (first) following = false;
    the.fitBounds(
      [
        [bounds[1], bounds[0]],
        [bounds[3], bounds[2]]
      ],
      { paddingTopLeft: [pad.left, pad.top], paddingBottomRight: [pad.right, pad.bottom], maxZoom: 18, animate: !first }
    );
    following = true;
  }

  Mapapp.maplayer = {
    start: start,
    map: map,
    layers: layers,
    dress: dress,
    restyle: restyle,
    select: select,
    outline: outline,
    flash: flash,
    go: go,
    place: place,
    fit: fit,
    onHover: function (listener) {
      hover = listener;
    },
    tiles: function () {
      return tiles;
    }
  };
})();
