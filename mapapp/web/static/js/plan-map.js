/* This script shows the plan on the map: links of the first stage and of later ones, the gaps they close, their labels. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t;
  var SHOWN = ["waters", "streets", "verdicts", "pipes", "outlets"];
  var LABEL_ZOOM = 14,
    WIDE = 168,
    HIGH = 40;
  var the = null,
    tiles = null,
    labels = null,
    box = null,
    drawn = false,
    routes = [],
    stageOf = {},
    picked = null;

  function start() {
    the = window[Mapapp.config.map];
    labels = window.L.layerGroup().addTo(the);
    the.on("moveend", write);
    tiles = window.MapappTiles.layer({ sources: [] }).addTo(the);
    var css = window.getComputedStyle(document.documentElement);
    [
      ["accent", "--accent"],
      ["paper", "--paper"],
      ["ink", "--ink"],
      ["soft", "--ink-2"]
    ].forEach(function (pair) {
      tiles.options[pair[0]] = css.getPropertyValue(pair[1]).trim() || tiles.options[pair[0]];
    });
    Mapapp.planDraw.start(the);
    tiles.on("pick", function (event) {
      if (Mapapp.planDraw.active()) return;
      if (event.layer === "links" || event.layer === "later") Mapapp.plan.pick(String(event.id));
      else if (event.layer === "verdicts") Mapapp.plan.pickCompound(String(event.id));
    });
    var control = function (name, icon, act) {
      return el(
        "button",
        { type: "button", "class": "control", title: t(name), "aria-label": t(name), on: { click: act } },
        Mapapp.dom.icon(icon)
      );
    };
    Mapapp.dom.fill(
      document.getElementById("plan-controls"),
      control("plan.zoom_in", "plus", function () {
        the.zoomIn();
      }),
      control("plan.zoom_out", "minus", function () {
        the.zoomOut();
      }),
      control("plan.whole", "home", whole)
    );
    var node = the.getContainer();
    node.setAttribute("aria-label", t("plan.map"));
    node.setAttribute("role", "application");
    node.setAttribute("tabindex", "0");
  }

  function paler(style, colour) {
    return Object.assign({}, style, {
      label_column: "",
      classes: style.classes.map(function (one) {
        return Object.assign({}, one, colour);
      })
    });
  }

  /** Take the layers of the view: new addresses after each plan. */
  function layers(view) {
    var style = window.matchMedia("(prefers-color-scheme: dark)").matches
      ? Mapapp.symbols.forDark(view.style)
      : view.style;
    var by = {};
    view.layers.forEach(function (layer) {
      if (layer.tiles && style[layer.name]) by[layer.name] = layer;
    });
    var source = function (id, layer, dress, live) {
      tiles.setSource(id, {
        id: id,
        url: layer.tiles,
        style: dress,
        key: layer.key,
        bounds: layer.bounds || undefined,
        minZoom: dress.min_zoom || 0,
        maxZoom: 22,
        visible: true,
        interactive: live
      });
    };
    SHOWN.forEach(function (name) {
      if (by[name]) source(name, by[name], style[name], name === "verdicts");
    });
    box = null;
    if (by.links && by.links.count) {
      var red = style.links;
      source("picked", by.links, paler(red, { stroke: "#3a4a9f", width: 9, dash: [], arrow: false }), false);
      source("later", by.links, paler(red, { width: 2 }), true);
      source("links", by.links, paler(red, { width: 4 }), true);
      tiles.setFilter("picked", { link_id: [] });
      box = by.links.bounds;
      drawn = true;
    } else if (drawn)
      ["links", "later", "picked"].forEach(function (id) {
        tiles.setVisible(id, false); // the new plan has none
      });
    legend(style, by);
  }

  function legend(style, by) {
    var entry = function (label, props) {
      return el(
        "li",
        {},
        Mapapp.dom.svg(
          "svg",
          { viewBox: "0 0 28 12", "class": "plan-swatch", "aria-hidden": "true" },
          Mapapp.dom.svg("path", Object.assign({ d: "M1 6h26", fill: "none" }, props))
        ),
        label
      );
    };
    Mapapp.dom.fill(
      document.getElementById("plan-legend"),
      box ? entry(t("plan.legend_now"), { stroke: "#d93025", "stroke-width": 4, "stroke-dasharray": "8 4" }) : null,
      box ? entry(t("plan.legend_later"), { stroke: "#d93025", "stroke-width": 2, "stroke-dasharray": "8 4" }) : null,
      by.pipes ? entry(t("plan.legend_pipes"), { stroke: "#8a5a2b", "stroke-width": 2 }) : null
    );
  }

  function whole() {
    if (box)
      the.fitBounds(
        [
          [box[1], box[0]],
          [box[3], box[2]]
        ],
        { padding: [48, 48], maxZoom: 17 }
      );
  }

  /** Colour the links by what the budget builds first. */
  function stages(answer, list) {
    routes = list;
    stageOf = answer.stage_of;
    if (box) {
      tiles.setFilter("links", { link_id: answer.now });
      write();
    }
  }

  /* One label per link, the cheapest per household first; those that would cover another wait for a closer look. */
  function write() {
    if (!labels) return;
    labels.clearLayers();
    if (Mapapp.planDraw.active()) return; // a label would catch the point that is meant
    if (the.getZoom() < LABEL_ZOOM) return;
    var taken = [],
      view = the.getBounds().pad(0.05);
    routes
      .slice()
      .sort(function (a, b) {
        return (a.route_id === picked ? -1 : stageOf[a.route_id]) - (b.route_id === picked ? -1 : stageOf[b.route_id]);
      })
      .some(function (route) {
        var at = window.L.latLng(route.at[1], route.at[0]);
        if (!view.contains(at)) return false;
        var p = the.latLngToContainerPoint(at);
        var covered = taken.some(function (q) {
          return Math.abs(p.x - q.x) < WIDE && Math.abs(p.y - q.y) < HIGH + 4;
        });
        if (covered) return false;
        taken.push(p);
        window.L.marker(at, { icon: label(route), keyboard: false }).on("click", function () {
          Mapapp.plan.pick(route.link_id);
        }).addTo(labels);
        return taken.length > 60;
      });
  }

  function label(route) {
    var later = stageOf[route.route_id] > 1;
    return window.L.divIcon({
      className: "plan-label" + (later ? " later" : "") + (route.route_id === picked ? " picked" : ""),
      iconSize: [WIDE, HIGH],
      iconAnchor: [-8, HIGH / 2],
      html: el(
        "span",
        {},
        el("b", {}, route.compounds[0].name + (route.compounds.length > 1 ? " +" + (route.compounds.length - 1) : "")),
        route.gap ? el("i", {}, route.gap) : null,
        el(
          "span",
          {},
          t("plan.route_label", {
            length: Mapapp.format.words("length_m", route.length_m),
            cost: Mapapp.format.words("money_yuan", route.cost)
          })
        )
      )
    });
  }

  /** Draw the way of a link down to the existing sewer, and bring it into sight; null clears. */
  function show(answer) {
    picked = answer ? answer.route.route_id : null;
    if (!box) return;
    tiles.setFilter("picked", { link_id: answer ? answer.path : [] });
    if (answer) {
      var at = answer.route.at;
      var zoom = Math.max(the.getZoom(), 16);
      var size = the.getSize(),
        card = document.getElementById("plan-card"),
        cover = window.innerWidth < 900 ? 0 : card.offsetHeight;
      var p = the.project(window.L.latLng(at[1], at[0]), zoom);
      the.setView(the.unproject(p.add([0, Math.min(cover, size.y * 0.6) / 2]), zoom), zoom);
    }
    write();
  }

  Mapapp.planMap = {
    start: start,
    layers: layers,
    stages: stages,
    show: show,
    whole: whole,
    labels: write,
    map: function () {
      return the;
    },
    tiles: function () {
      return tiles;
    }
  };
})();
