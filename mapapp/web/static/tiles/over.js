/* This script draws what lies above all tiles, each feature once: large symbols, letters, names, what is selected. */
(function (global) {
  "use strict";
  var T = (global.MapappTiles = global.MapappTiles || {});
  var parts = (T.parts = T.parts || {});
  var EXTENT = 4096, SIZE = 256, POINT = 1, LINE = 2, POLYGON = 3;
  var table = parts.table, property = parts.property, length = parts.length, halfway = parts.halfway, classify = parts.classify,
    trace = parts.trace, letter = parts.letter, badge = parts.badge, FONT = parts.FONT, ON_TOP = parts.ON_TOP;

  var L = global.L;
  var DOT = 3;
  var PAD = 96;  // pixels that the canvas reaches beyond the map, so that a short drag shows no edge

  /* Add one piece of a feature to its mark: polygons by area, lines by their longest part, points as they are. */
  function place(item, block, f, x0, y0, unit) {
    var xy = block.xy, p, v, a, b;
    if (item.type === POINT) {
      v = block.from[block.part[f]];
      item.weight = 1; item.x = x0 + xy[2 * v] * unit; item.y = y0 + xy[2 * v + 1] * unit;
      return;
    }
    for (p = block.part[f]; p < block.part[f + 1]; p++) {
      a = block.from[p]; b = block.from[p + 1];
      if (item.type === POLYGON) {
        var area = 0, cx = 0, cy = 0, ox = xy[2 * a], oy = xy[2 * a + 1];
        for (v = a + 1; v < b - 1; v++) {
          var ax = xy[2 * v] - ox, ay = xy[2 * v + 1] - oy, bx = xy[2 * v + 2] - ox, by = xy[2 * v + 3] - oy, part = (ax * by - bx * ay) / 2;
          area += part; cx += part * (ax + bx) / 3; cy += part * (ay + by) / 3;
        }
        item.weight += area * unit * unit;
        item.x += (area * (x0 + ox * unit) + cx * unit) * unit * unit;
        item.y += (area * (y0 + oy * unit) + cy * unit) * unit * unit;
        continue;
      }
      var total = length(xy, a, b);
      if (total * unit <= item.span) continue;
      item.span = total * unit; item.weight = 1;
      var middle = halfway(xy, a, b, total);
      if (middle) { item.x = x0 + middle.x * unit; item.y = y0 + middle.y * unit; item.angle = middle.angle; }
    }
  }

  function top(item, r) { return { source: item.source, block: item.block, f: item.f, x: item.x, y: item.y, r: r }; }

  /* Boxes that are drawn upon lie in a grid of cells: asking all of them for each of 20,000 symbols took a second. */
  var CELL = 64, ROW = 4096;

  function cells(x0, y0, x1, y1, call) {
    var cx, cy, right = Math.floor(x1 / CELL), low = Math.floor(y1 / CELL);
    for (cy = Math.floor(y0 / CELL); cy <= low; cy++) for (cx = Math.floor(x0 / CELL); cx <= right; cx++) if (call(cy * ROW + cx)) return true;
    return false;
  }

  function take(view, x, y, hw, hh) {
    var box = [x - hw, y - hh, x + hw, y + hh];
    cells(box[0], box[1], box[2], box[3], function (cell) {
      if (view.taken[cell]) view.taken[cell].push(box);
      else view.taken[cell] = [box];
    });
  }

  function clash(view, x, y, hw, hh) {
    return cells(x - hw, y - hh, x + hw, y + hh, function (cell) {
      return (view.taken[cell] || []).some(function (t) { return x - hw < t[2] && x + hw > t[0] && y - hh < t[3] && y + hh > t[1]; });
    });
  }

  /* A symbol without room is a dot; dots of one class on the same two pixels are one. */
  function dot(view, c, item, x, y) {
    var spot = item.source.id + "/" + item.cls + "/" + Math.floor(x / 2) + "/" + Math.floor(y / 2);
    if (view.dots[spot]) return;
    view.dots[spot] = true;
    badge(view.ctx, c, x, y, DOT);
  }

  /* Methods of the layer. */
  var over = {
    _soon: function () {
      if (this._frame || this._late || !this._map) return;
      // while tiles come in one by one, what takes long to draw is not drawn anew for each of them
      if (this._cost > 16 && this.isLoading()) this._late = global.setTimeout(L.bind(function () { this._late = null; this._frameNow(); }, this), 5 * this._cost);
      else this._frameNow();
    },

    _frameNow: function () {
      if (!this._frame && this._map) this._frame = L.Util.requestAnimFrame(function () { this._frame = null; this._over(); }, this);
    },

    /* Draw what lies above the tiles now, not with the next frame: a browser that prints shows no next frame. */
    flush: function () {
      L.Util.cancelAnimFrame(this._frame);
      global.clearTimeout(this._late);
      this._frame = this._late = null;
      this._over();
      return this;
    },

    _current: function (call) {
      var zoom = this._tileZoom;
      this._each(function (rec) { if (rec.coords.z === zoom) call.call(this, rec); });
    },

    _over: function () {
      if (!this._map || !this._canvas || this._map._animatingZoom) return;
      var began = Date.now(), map = this._map, size = map.getSize(), ratio = Math.min(3, global.devicePixelRatio || 1), canvas = this._canvas;
      var w = size.x + 2 * PAD, h = size.y + 2 * PAD;
      if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
        canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio);
        canvas.style.width = w + "px"; canvas.style.height = h + "px";
      }
      var corner = map.containerPointToLayerPoint([-PAD, -PAD]);
      L.DomUtil.setPosition(canvas, corner);
      var ctx = canvas.getContext("2d"), origin = map.getPixelOrigin().add(corner), zoom = this._tileZoom;
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      ctx.clearRect(0, 0, w, h);
      if (zoom !== map.getZoom()) return;
      var view = { ctx: ctx, origin: origin, width: w, height: h, zoom: zoom, taken: {}, dots: {}, names: [], said: [] };
      this._top = [];
      this._sources.forEach(function (s) { this._collect(s, view); }, this);
      this._highlight(this._hovered, view, 5, 0.45);
      this._highlight(this._selected, view, 6, 1);
      // Places before streets; a street's name once in a while.
      view.names.sort(function (a, b) { return (a.item.type === LINE) - (b.item.type === LINE) || b.item.source.order - a.item.source.order || b.item.span - a.item.span; });
      view.names.forEach(function (n) { this._name(n, view); }, this);
      this._cost = Date.now() - began;
    },

    /* Gather what a layer has above the tiles: each feature once, though several tiles hold pieces of it. */
    _collect: function (s, view) {
      var named = s.style.label_column && view.zoom >= s.style.label_zoom, lettered = s.style.classes.some(function (c) { return c.letter && c.fill; });
      var large = s.style.classes.some(function (c) { return c.radius > ON_TOP; });
      if (!named && !lettered && !large) return;
      var found = {}, number = 0, order = [];
      this._current(function (rec) {
        var block = rec.blocks[s.id], x0 = rec.coords.x * SIZE, y0 = rec.coords.y * SIZE, unit = SIZE / EXTENT;
        if (!block || !this._wanted(rec, s)) return;
        if (block.stamp !== s.stamp) classify(block, s);
        for (var f = 0; f < block.n; f++) {
          if (block.cls[f] === 255 || (block.codes.count && block.codes.count[f])) continue;
          var type = block.type[f], key = property(block, s.key, f);
          if (type === POINT && s.style.classes[block.cls[f]].radius <= ON_TOP && !named) continue;
          if (type === LINE && !named) continue;
          key = key === null ? "#" + number++ : "=" + key;
          var item = found[key];
          if (!item) { order.push(item = found[key] = { source: s, block: block, f: f, type: type, cls: block.cls[f], weight: 0, x: 0, y: 0, angle: 0, span: 0 }); }
          place(item, block, f, x0, y0, unit);
        }
      });
      order.forEach(function (item) {
        if (!item.weight) return;
        item.x /= item.weight; item.y /= item.weight;
        this._mark(item, s.style.classes[item.cls], view, named);
      }, this);
    },

    _mark: function (item, c, view, named) {
      var ctx = view.ctx, x = item.x - view.origin.x, y = item.y - view.origin.y, r = 0;
      if (x < 0 || y < 0 || x > view.width || y > view.height) return;
      if (item.type === POLYGON) {
        var span = Math.sqrt(item.weight);
        if (c.letter && c.fill && c.opacity && view.zoom >= 9) {
          if (span >= 15) { r = Math.min(9, span / 3); letter(ctx, c.letter, x, y, Math.min(15, Math.max(10, span / 2.4)), c.ink, c.hatch ? c.fill : null); }
          else {
            r = clash(view, x, y, 6, 6) ? DOT : 7.5;
            if (r === DOT) dot(view, c, item, x, y); else badge(ctx, c, x, y, r);
            this._top.push(top(item, r));
          }
        }
      } else if (item.type === POINT) {
        r = view.zoom < 13 ? c.radius * 0.75 : c.radius;
        if (r > ON_TOP * 0.75) {
          if (view.zoom < 14 && clash(view, x, y, r * 0.7, r * 0.7)) r = DOT;
          if (r === DOT) dot(view, c, item, x, y); else badge(ctx, c, x, y, r);
          this._top.push(top(item, r));
        }
      }
      if (r) take(view, x, y, r, r);
      if (named) view.names.push({ item: item, x: x, y: y, below: item.type === LINE ? 0 : r + 11 });
    },

    _name: function (n, view) {
      var s = n.item.source, text = property(n.item.block, s.style.label_column, n.item.f), ctx = view.ctx;
      if (text === null || text === "") return;
      text = (typeof text === "number" ? Math.round(text * 10) / 10 : text) + (s.style.label_suffix || "");
      ctx.font = "12px " + FONT;
      var wide = ctx.measureText(text).width, line = n.item.type === LINE, y = n.y + n.below;
      if (line && n.item.span < wide * 0.8) return;
      if (line && !s.style.label_suffix && view.said.some(function (q) { return q.text === text && Math.hypot(q.x - n.x, q.y - n.y) < 420; })) return;
      var hw = line ? Math.abs(Math.cos(n.item.angle)) * wide / 2 + 4 : wide / 2 + 2, hh = line ? Math.abs(Math.sin(n.item.angle)) * wide / 2 + 7 : 8;
      if (clash(view, n.x, y, hw, hh)) return;
      take(view, n.x, y, hw, hh);
      view.said.push({ text: text, x: n.x, y: n.y });
      ctx.save();
      ctx.translate(n.x, y);
      if (line) { var a = n.item.angle; ctx.rotate(Math.abs(a) > Math.PI / 2 ? a + Math.PI : a); }
      ctx.textAlign = "center"; ctx.textBaseline = "middle"; ctx.lineJoin = "round";
      ctx.lineWidth = 3; ctx.strokeStyle = this.options.paper; ctx.strokeText(text, 0, 0);
      ctx.fillStyle = line && !s.style.label_suffix ? this.options.soft : this.options.ink; ctx.fillText(text, 0, 0);
      ctx.restore();
    },

    _highlight: function (which, view, width, alpha) {
      if (!which || which.id === null || which.id === undefined) return;
      var s = this._sources.filter(function (q) { return q.id === which.layer; })[0], ctx = view.ctx, unit = SIZE / EXTENT;
      if (!s || !s.visible) return;
      this._current(function (rec) {
        var block = rec.blocks[s.id], codes = block && block.codes[s.key];
        if (!codes || !this._wanted(rec, s)) return;
        var code = table(block, s.key).indexOf(which.id) + 1;
        if (!code) return;
        for (var f = codes.indexOf(code); f >= 0; f = codes.indexOf(code, f + 1)) {
          ctx.save();
          ctx.translate(rec.coords.x * SIZE - view.origin.x, rec.coords.y * SIZE - view.origin.y);
          if (block.type[f] === POINT) {
            ctx.beginPath();
            var v = block.from[block.part[f]], c = s.style.classes[block.cls[f]] || { radius: 5 };
            ctx.arc(block.xy[2 * v] * unit, block.xy[2 * v + 1] * unit, c.radius + 4, 0, 2 * Math.PI);
          } else {
            ctx.beginPath(); ctx.rect(0, 0, SIZE, SIZE); ctx.clip();  // the cut along the tile's buffer is no outline
            ctx.beginPath();
            trace(ctx, block, f, unit);
          }
          ctx.globalAlpha = alpha; ctx.lineJoin = ctx.lineCap = "round";
          if (alpha === 1) { ctx.lineWidth = width; ctx.strokeStyle = this.options.paper; ctx.stroke(); }
          ctx.lineWidth = width - 2.5; ctx.strokeStyle = this.options.accent; ctx.stroke();
          ctx.restore();
        }
      });
    }
  };

  parts.over = over;
}(typeof window === "undefined" ? self : window));
