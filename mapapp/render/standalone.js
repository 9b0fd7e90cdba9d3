/* This script is the stand-alone page's own: title, legend with switches and counts, and a card for what is clicked.
   Everything from the data is written as text, never as markup. */
(function () {
  "use strict";
  var map = window.map_mapapp, layer = window.vector_layer_mapapp, about = window.MAPAPP_ABOUT, words = about.words;
  var open = null;

  function make(tag, parent, text, name) {
    var node = document.createElement(tag);
    if (text !== undefined && text !== null) node.textContent = text;
    if (name) node.className = name;
    if (parent) parent.appendChild(node);
    return node;
  }

  // -- title --
  var title = make("header", document.body, null, "panel title");
  make("h1", title, about.title);
  make("p", title, words.as_of + " " + about.as_of);

  // -- legend --
  var legend = make("section", document.body, null, "panel legend folded");
  var heading = make("button", make("h2", legend), words.legend);
  heading.type = "button";
  function fold(on) { legend.classList.toggle("folded", on); heading.setAttribute("aria-expanded", String(!on)); }
  heading.addEventListener("click", function () { fold(!legend.classList.contains("folded")); });
  fold(window.innerWidth <= 640);

  function swatch(c, shape) {
    var canvas = make("canvas"), ctx = canvas.getContext("2d");
    canvas.width = 64; canvas.height = 44;
    ctx.scale(2, 2);
    MapappTiles.swatch(ctx, c, shape, 32, 22);
    return canvas;
  }

  function shape(source) {
    if (source.id === "findings") return "point";  // marked where it is, whatever it is about
    var type = source.data.types[0];
    return type === 1 ? "point" : type === 2 ? "line" : "area";
  }

  function tally(source) {
    var style = source.style, column = source.data.columns[style.column], out = {}, i;
    var n = source.data.types.length, classes = style.classes;
    for (i = 0; i < n; i++) {
      var code = column ? column.codes[i] : 0, id = MapappTiles.classOf(style, code ? column.values[code - 1] : null).id;
      out[id] = (out[id] || 0) + 1;
    }
    return classes.filter(function (c) { return out[c.id] && (c.fill || c.width); }).map(function (c) { return { look: c, n: out[c.id] }; });
  }

  layer.options.sources.slice().reverse().forEach(function (source) {
    var entries = tally(source);
    if (!entries.length) return;  // nothing of it has a look
    var box = make("details", legend), head = make("summary", box), on = make("input", head);
    box.open = source.visible && source.id !== "manholes" && source.id !== "buildings" && source.id !== "streets";
    on.type = "checkbox"; on.checked = source.visible;
    on.setAttribute("aria-label", source.style.title);
    make("b", head, source.style.title);
    var shown = entries.reduce(function (sum, entry) { return sum + entry.n; }, 0);  // a class without a look is not there
    make("small", head, shown + (source.data.undrawn ? " (+" + source.data.undrawn + " " + words.not_drawn + ")" : ""));
    on.addEventListener("click", function (e) { e.stopPropagation(); });
    on.addEventListener("change", function () { layer.setVisible(source.id, on.checked); });
    var off = {};
    entries.forEach(function (entry) {
      var row = make("label", box), box2 = make("input", row);
      box2.type = "checkbox"; box2.checked = true;
      row.appendChild(swatch(entry.look, shape(source)));
      make("span", row, entry.look.label);
      make("small", row, entry.n);
      box2.addEventListener("change", function () {
        off[entry.look.id] = !box2.checked;
        layer.setHidden(source.id, Object.keys(off).filter(function (k) { return off[k]; }));
      });
    });
  });

  // -- zoom and scale --
  var zoom = make("div", document.body, null, "panel zoom");
  [["+", words.zoom_in, 1], ["−", words.zoom_out, -1]].forEach(function (b) {
    var button = make("button", zoom, b[0]);
    button.type = "button"; button.setAttribute("aria-label", b[1]);
    button.addEventListener("click", function () { map.setZoom(map.getZoom() + b[2]); });
  });
  var stamp = make("div", document.body, null, "panel stamp"), bar = make("i", stamp), length = make("span", stamp);
  function scale() {
    var y = map.getSize().y / 2, metres = map.distance(map.containerPointToLatLng([0, y]), map.containerPointToLatLng([120, y]));
    var nice = Math.pow(10, Math.floor(Math.log10(metres)));
    nice *= metres / nice >= 5 ? 5 : metres / nice >= 2 ? 2 : 1;
    bar.style.width = Math.round(120 * nice / metres) + "px";
    length.textContent = nice >= 1000 ? nice / 1000 + " km" : nice + " m";
  }
  map.on("zoomend moveend resize", scale);
  scale();

  // What is shown should not begin under the panels.
  if (about.bounds) {
    var wide = map.getSize().x > 640, b = about.bounds;
    map.fitBounds([[b[1], b[0]], [b[3], b[2]]], { paddingTopLeft: wide ? [312, 104] : [24, 96], paddingBottomRight: wide ? [72, 40] : [24, 80], maxZoom: 17, animate: false });
  }

  // -- card --
  function close() {
    if (open && open.contains(document.activeElement)) map.getContainer().focus();
    if (open) open.remove();
    open = null;
    layer.select(null);
  }

  function card(hit) {
    close();
    var source = layer.options.sources.filter(function (s) { return s.id === hit.layer; })[0], p = hit.properties;
    open = make("section", document.body, null, "panel card");
    var head = make("header", open), shut;
    make("h2", head, p.name || hit.id || source.style.title);
    shut = make("button", head, "✕");
    shut.type = "button"; shut.setAttribute("aria-label", words.close);
    shut.addEventListener("click", close);
    var list = make("dl", open), column = source.style.column;
    make("dt", list, source.style.title);
    make("dd", list, column ? MapappTiles.classOf(source.style, p[column]).label : "");
    Object.keys(source.labels).forEach(function (name) {
      if (p[name] === undefined || p[name] === null || name === column || name === "name") return;
      make("dt", list, source.labels[name][0]);
      make("dd", list, ((source.words || {})[name] || {})[p[name]] || p[name] + (source.labels[name][1] ? " " + source.labels[name][1] : ""));
    });
    layer.select(hit.layer, hit.id);
    shut.focus();
  }
  layer.on("pick", function (e) { if (e.layer) card(e); else close(); });
  document.addEventListener("keydown", function (e) { if (e.key === "Escape") close(); });

  if (about.watermark) {
    var mark = make("canvas", document.body, null, "watermark"), ctx = mark.getContext("2d");
    mark.width = window.screen.width; mark.height = window.screen.height;
    ctx.font = "18px sans-serif"; ctx.fillStyle = "rgba(0,0,0,.10)"; ctx.rotate(-0.4);
    for (var y = 0; y < mark.height * 2; y += 160) for (var x = -mark.height; x < mark.width; x += 420) ctx.fillText(about.watermark, x, y);
  }
  function ready() { document.body.setAttribute("data-ready", "1"); }
  layer.on("load", ready);
  if (!layer.isLoading()) ready();
}());
