/* This script draws vector layers on canvas inside a Leaflet map: fetches tiles (or takes in-page data), decodes, styles,
   filters, labels and picks them. One global, MapappTiles; Leaflet 1.9; ES2018; asks nobody but the URLs it is given.
   It loads last: decode, blocks, classes, draw, pick and over in tiles/ come before it, in this order.

   var layer = MapappTiles.layer({sources: [{
     id: "pipes",                      // unique; reported with every pick
     url: "/tiles/pipes/{z}/{x}/{y}.mvt?v=7",   // or data: packed in-page data (MapappTiles.unpack says how)
     style: {…},                       // one entry of the server's style table
     key: "pipe_id", bounds: [w, s, e, n], minZoom: 8, maxZoom: 22, visible: true, interactive: true
   }]}).addTo(map);
   layer.setFilter("pipes", {kind: ["sewage"], year: [2021, null]})   null stands for a missing value; null alone clears
  layer.setHidden("compounds", ["accepted"])                          classes switched off in the legend
   layer.setVisible(id, on)  layer.setStyle(id, style)  layer.setSource(id, {url|data|bounds…})  layer.addSource({…})
   layer.select(id, featureKey)  layer.select(null)      layer.pick(latlng) -> [{layer, id, properties, count}]
   layer.retry()                    asks again for what could not be loaded
   layer.flush()                    draws at once what waits for the next frame
   layer.isLoading()                whether a tile of any layer is still on its way, those of layers added later too
   layer.counts(id) -> {loaded, shown, classes: {class: n}}         of what the tiles in view hold
   Events: "pick" {layer, id, properties, latlng, hits}, "hover" (the same, or layer null), "load", "error" {layer, status}. */
(function (global) {
  "use strict";
  var L = global.L, T = global.MapappTiles, parts = T.parts;
  var EXTENT = 4096, SIZE = 256;
  var unpack = parts.unpack, cut = parts.cut, property = parts.property, classify = parts.classify, drawBlock = parts.drawBlock,
    pickBlock = parts.pickBlock, hit = parts.hit, decodeAway = parts.decodeAway;

  var Layer = L.GridLayer.extend(L.extend({}, parts.over, {
    options: { tileSize: SIZE, minZoom: 0, maxZoom: 22, noWrap: true, updateWhenZooming: false, keepBuffer: 1, accent: "#1A73E8", paper: "#FFFFFF", ink: "#202124", soft: "#5F6368" },

    initialize: function (options) {
      L.setOptions(this, options);
      this._sources = [];
      this._recs = {};
      this._top = [];
      this._selected = this._hovered = null;
      this._stamp = this._cost = 0;
      (this.options.sources || []).forEach(this._adopt, this);
    },

    _adopt: function (given, order) {
      var s = L.extend({ visible: true, interactive: true, filter: null }, given);
      s.order = order;
      s.stamp = ++this._stamp;
      if (s.minZoom === undefined) s.minZoom = s.style.min_zoom || 0;
      if (s.maxZoom === undefined) s.maxZoom = 22;
      if (s.data) s.world = unpack(s.data);
      this._sources.push(s);
    },

    _source: function (id) {
      var found = this._sources.filter(function (s) { return s.id === id; })[0];
      if (!found) throw new Error("no layer " + id);
      return found;
    },

    onAdd: function (map) {
      this._canvas = L.DomUtil.create("canvas", "mapapp-over leaflet-zoom-hide", map.getPane("overlayPane"));
      this._canvas.style.pointerEvents = "none";
      this.on("tileunload", this._unload, this);
      L.GridLayer.prototype.onAdd.call(this, map);
      this._soon();
    },

    onRemove: function (map) {
      Object.keys(this._recs).forEach(function (k) { this._drop(this._recs[k]); }, this);
      this._recs = {};
      this.off("tileunload", this._unload, this);
      L.DomUtil.remove(this._canvas);
      L.Util.cancelAnimFrame(this._frame);
      global.clearTimeout(this._late);
      this._canvas = this._frame = this._late = null;
      L.GridLayer.prototype.onRemove.call(this, map);
    },

    getEvents: function () {
      var events = L.GridLayer.prototype.getEvents.call(this);
      var after = events.moveend, self = this;
      events.moveend = function (e) { if (after) after.call(self, e); self._soon(); };
      events.resize = this._soon;
      events.click = this._click;
      events.mousemove = this._move;
      events.mouseout = this._leave;
      return events;
    },

    // -- tiles --

    createTile: function (coords, done) {
      var canvas = L.DomUtil.create("canvas"), rec = { coords: coords, canvas: canvas, blocks: {}, waits: 0, aborts: {}, done: done };
      rec.ratio = Math.min(3, global.devicePixelRatio || 1);
      canvas.width = canvas.height = Math.round(SIZE * rec.ratio);
      this._recs[this._tileCoordsToKey(coords)] = rec;
      this._sources.forEach(function (s) { this._load(rec, s); }, this);
      if (!rec.waits) L.Util.requestAnimFrame(function () { this._settle(rec); }, this);
      return canvas;
    },

    _unload: function (e) {
      var key = this._tileCoordsToKey(e.coords), rec = this._recs[key];
      if (rec) { this._drop(rec); delete this._recs[key]; }
    },

    _drop: function (rec) {
      rec.gone = true;
      Object.keys(rec.aborts).forEach(function (id) { rec.aborts[id].abort(); });
    },

    _wanted: function (rec, s) {
      var z = rec.coords.z;
      if (!s.visible || z < s.minZoom || z > s.maxZoom || (!s.world && !s.url)) return false;
      if (!s.bounds) return true;
      var b = this._tileCoordsToBounds(rec.coords).pad(0.05);
      return b.getWest() <= s.bounds[2] && b.getEast() >= s.bounds[0] && b.getSouth() <= s.bounds[3] && b.getNorth() >= s.bounds[1];
    },

    _load: function (rec, s) {
      if (!this._wanted(rec, s) || rec.blocks[s.id] !== undefined || rec.aborts[s.id]) return;
      if (s.world) { rec.blocks[s.id] = cut(s.world, rec.coords); return; }
      var self = this, url = L.Util.template(s.url, rec.coords), options = { credentials: "same-origin" };
      var abort = global.AbortController ? new AbortController() : { abort: function () {} };
      options.signal = abort.signal;
      rec.aborts[s.id] = abort;
      rec.waits++;
      fetch(url, options).then(function (answer) {
        if (answer.status === 204 || answer.status === 404) return null;
        if (!answer.ok) { var e = new Error("HTTP " + answer.status); e.status = answer.status; throw e; }
        return answer.arrayBuffer();
      }).then(function (buffer) {
        return buffer && buffer.byteLength && !rec.gone ? decodeAway(buffer) : null;
      }).then(function (block) {
        if (rec.gone || rec.aborts[s.id] !== abort) return;
        rec.blocks[s.id] = block;
      }).catch(function (e) {
        if (rec.gone || rec.aborts[s.id] !== abort) return;
        rec.failed = true;
        self.fire("error", { layer: s.id, status: e.status || 0, message: String(e.message || e), url: url });
      }).then(function () {
        if (rec.aborts[s.id] === abort) delete rec.aborts[s.id];
        rec.waits--;
        if (!rec.gone) self._settle(rec);
      });
    },

    _settle: function (rec) {
      if (rec.gone || !this._map) return;
      this._paint(rec);
      if (!rec.waits && rec.done) { var done = rec.done; rec.done = null; done(null, rec.canvas); }
      this._soon();
    },

    _paint: function (rec) {
      var ctx = rec.canvas.getContext("2d");
      ctx.setTransform(rec.ratio, 0, 0, rec.ratio, 0, 0);
      ctx.clearRect(0, 0, SIZE, SIZE);
      this._sources.forEach(function (s) {
        if (rec.blocks[s.id] && this._wanted(rec, s)) drawBlock(ctx, rec.blocks[s.id], s, rec.coords.z);
      }, this);
      if (rec.failed) {  // said on the map too: here something could not be loaded
        ctx.strokeStyle = "#D93025"; ctx.setLineDash([2, 6]); ctx.lineWidth = 1; ctx.strokeRect(4, 4, SIZE - 8, SIZE - 8); ctx.setLineDash([]);
      }
    },

    /* Leaflet knows of new tiles only: a layer that is added or switched on later loads into tiles that it calls done. */
    isLoading: function () {
      var recs = this._recs;
      return Boolean(this._loading) || Object.keys(recs).some(function (k) { return recs[k].waits > 0; });
    },

    _each: function (call) {
      Object.keys(this._recs).forEach(function (k) { call.call(this, this._recs[k]); }, this);
    },

    _repaint: function () {
      this._each(this._paint);
      this._soon();
    },

    // -- what the page changes --

    setFilter: function (id, filter) { var s = this._source(id); s.filter = filter; s.stamp = ++this._stamp; this._repaint(); return this; },
    setStyle: function (id, style) { var s = this._source(id); s.style = style; s.stamp = ++this._stamp; this._repaint(); return this; },

    /* Switch classes of a layer off, by id; [] shows all. */
    setHidden: function (id, classes) { var s = this._source(id); s.hidden = classes; s.stamp = ++this._stamp; this._repaint(); return this; },

    setVisible: function (id, on) {
      var s = this._source(id);
      if (s.visible === !!on) return this;
      s.visible = !!on;
      if (on) this._each(function (rec) { this._load(rec, s); });
      this._repaint();
      return this;
    },

    /* Other data for a layer: {url} or {data}, and whatever else of a source changes with it; a new layer if there is none. */
    setSource: function (id, change) {
      if (!this._sources.some(function (q) { return q.id === id; })) return this.addSource(L.extend({ id: id }, change));
      var s = this._source(id);
      L.extend(s, change);
      s.world = change.data ? unpack(change.data) : change.url ? null : s.world;
      s.stamp = ++this._stamp;
      this._each(function (rec) {
        if (rec.aborts[id]) { rec.aborts[id].abort(); delete rec.aborts[id]; }
        delete rec.blocks[id];
        rec.failed = false;
        this._load(rec, s);
      });
      this._repaint();
      return this;
    },

    retry: function () {
      this._each(function (rec) {
        if (!rec.failed) return;
        rec.failed = false;
        this._sources.forEach(function (s) { this._load(rec, s); }, this);
      });
      this._repaint();
      return this;
    },

    addSource: function (source) {
      this._adopt(source, this._sources.length);
      var s = this._sources[this._sources.length - 1];
      this._each(function (rec) { this._load(rec, s); });
      this._repaint();
      return this;
    },

    select: function (id, key) {
      this._selected = id === null || id === undefined ? null : { layer: id, id: key };
      this._soon();
      return this;
    },

    counts: function (id) {
      var s = this._source(id), seen = {}, out = { loaded: 0, shown: 0, classes: {} };
      this._current(function (rec) {
        var block = rec.blocks[s.id];
        if (!block || !this._wanted(rec, s)) return;
        if (block.stamp !== s.stamp) classify(block, s);
        for (var f = 0; f < block.n; f++) {
          var key = property(block, s.key, f);
          if (key === null || seen[key]) continue;
          seen[key] = true;
          out.loaded++;
          if (block.cls[f] === 255) continue;
          var c = s.style.classes[block.cls[f]].id;
          out.shown++;
          out.classes[c] = (out.classes[c] || 0) + 1;
        }
      });
      return out;
    },

    // -- pointing --

    pick: function (latlng) {
      var hits = [], zoom = this._tileZoom, seen = {};
      if (!this._map || zoom === undefined) return hits;
      var p = this._map.project(latlng, zoom), tx = Math.floor(p.x / SIZE), ty = Math.floor(p.y / SIZE);
      this._top.forEach(function (t) {
        var d = Math.hypot(t.x - p.x, t.y - p.y);
        if (t.source.interactive && d <= t.r + 4) hits.push(hit(t.block, t.f, t.source, d));
      });
      var rec = this._recs[tx + ":" + ty + ":" + zoom];
      if (rec) {
        this._sources.forEach(function (s) {
          var block = rec.blocks[s.id];
          if (!block || !s.interactive || !this._wanted(rec, s) || block.stamp !== s.stamp) return;
          pickBlock(block, s, (p.x - tx * SIZE) * EXTENT / SIZE, (p.y - ty * SIZE) * EXTENT / SIZE, hits);
        }, this);
      }
      hits.sort(function (a, b) { return a.type - b.type || b.order - a.order || a.distance - b.distance; });
      return hits.filter(function (h) {
        var key = h.layer + "\n" + h.id;
        if (h.id !== null && seen[key]) return false;
        return (seen[key] = true);
      });
    },

    _click: function (e) {
      var hits = this.pick(e.latlng), first = hits[0] || { layer: null, id: null, properties: null };
      this.fire("pick", { layer: first.layer, id: first.id, properties: first.properties, latlng: e.latlng, hits: hits });
    },

    _move: function (e) {
      this._at = e.latlng;
      if (this._moving) return;
      this._moving = L.Util.requestAnimFrame(function () {
        this._moving = null;
        if (!this._map || !this._at) return;
        var first = this.pick(this._at)[0] || null, before = this._hovered;
        this._map.getContainer().style.cursor = first ? "pointer" : "";
        if (!first && !before) return;
        var same = first && before && first.layer === before.layer && first.id === before.id && first.id !== null;
        this._hovered = first;
        this.fire("hover", { layer: first && first.layer, id: first && first.id, properties: first && first.properties,
          count: first && first.count, latlng: this._at, containerPoint: this._map.latLngToContainerPoint(this._at) });
        if (!same) this._soon();
      }, this);
    },

    _leave: function () {
      this._at = null;
      if (!this._hovered) return;
      this._hovered = null;
      this.fire("hover", { layer: null, id: null, properties: null });
      this._soon();
    }
  }));

  T.layer = function (options) { return new Layer(options); };
  T.Layer = Layer;
}(window));
