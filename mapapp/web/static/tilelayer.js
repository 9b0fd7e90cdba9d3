/* This script draws vector layers on canvas inside a Leaflet map: fetches tiles (or takes in-page data), decodes, styles,
   filters, labels and picks them. One global, MapappTiles; Leaflet 1.9; ES2018; asks nobody but the URLs it is given.

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
   layer.flush()                    draws at once what waits for the next frame
   layer.counts(id) -> {loaded, shown, classes: {class: n}}         of what the tiles in view hold
   Events: "pick" {layer, id, properties, latlng, hits}, "hover" (the same, or layer null), "load", "error" {layer, status}. */
(function (global) {
  "use strict";
  var L = global.L;
  var EXTENT = 4096, SIZE = 256, POINT = 1, LINE = 2, POLYGON = 3;
  var TOLERANCE = 6, ON_TOP = 3.5;  // pixels: how near a pick must be; points larger than this are drawn above all tiles

  // -- protobuf ------------------------------------------------------------------------------------------------------

  function Reader(bytes, at, end) { this.b = bytes; this.at = at || 0; this.end = end === undefined ? bytes.length : end; }
  Reader.prototype.varint = function () {
    var b = this.b, value = 0, scale = 1, byte;
    do { byte = b[this.at++]; value += (byte & 127) * scale; scale *= 128; } while (byte > 127);
    return value;
  };
  Reader.prototype.part = function () {
    var size = this.varint(), from = this.at;
    this.at += size;
    if (this.at > this.end) throw new Error("truncated tile");
    return new Reader(this.b, from, this.at);
  };
  Reader.prototype.skip = function (wire) {
    if (wire === 0) this.varint();
    else if (wire === 1) this.at += 8;
    else if (wire === 2) this.at = this.varint() + this.at;
    else if (wire === 5) this.at += 4;
    else throw new Error("not a vector tile");
  };
  var utf8 = global.TextDecoder ? new TextDecoder("utf-8") : null;
  Reader.prototype.text = function () {
    var piece = this.b.subarray(this.at, this.end);
    if (utf8) return utf8.decode(piece);
    var out = "";
    for (var i = 0; i < piece.length; i++) out += "%" + (256 + piece[i]).toString(16).slice(1);
    return decodeURIComponent(out);
  };
  Reader.prototype.value = function () {
    var view = new DataView(this.b.buffer, this.b.byteOffset), out = null;
    while (this.at < this.end) {
      var tag = this.varint(), field = tag >> 3;
      if (field === 1) out = this.part().text();
      else if (field === 2) { out = view.getFloat32(this.at, true); this.at += 4; }
      else if (field === 3) { out = view.getFloat64(this.at, true); this.at += 8; }
      else if (field === 4 || field === 5) out = this.varint();
      else if (field === 6) { out = this.varint(); out = out % 2 ? -(out + 1) / 2 : out / 2; }
      else if (field === 7) out = this.varint() !== 0;
      else this.skip(tag & 7);
    }
    return out;
  };

  /* A block: the features of one source in one tile as typed arrays.
     type[f]; part[f]..part[f+1] are its parts; from[p]..from[p+1] their vertices; xy pairs in tile units;
     codes[key][f] - 1 indexes values, 0 is missing; inside[p] is 1 for a hole. */
  function decode(buffer) {
    var bytes = new Uint8Array(buffer), tile = new Reader(bytes), blocks = [];
    while (tile.at < tile.end) {
      var tag = tile.varint();
      if (tag >> 3 === 3) blocks.push(decodeLayer(tile.part())); else tile.skip(tag & 7);
    }
    return blocks.length ? blocks[0] : null;
  }

  function decodeLayer(r) {
    var keys = [], values = [], at = [], ends = [], bytes = 0;
    while (r.at < r.end) {
      var tag = r.varint(), field = tag >> 3;
      if (field === 2) { var f = r.part(); at.push(f.at); ends.push(f.end); bytes += f.end - f.at; }
      else if (field === 3) keys.push(r.part().text());
      else if (field === 4) values.push(r.part().value());
      else r.skip(tag & 7);
    }
    var n = at.length, codes = keys.map(function () { return new Uint32Array(n); });
    var block = { n: n, type: new Uint8Array(n), part: new Uint32Array(n + 1), values: values, keys: keys, codes: {} };
    var xy = new Int16Array(bytes), from = new Uint32Array(bytes + 1), vertices = 0, parts = 0;
    for (var i = 0; i < n; i++) {
      var p = new Reader(r.b, at[i], ends[i]);
      while (p.at < p.end) {
        tag = p.varint(); field = tag >> 3;
        if (field === 2) {
          var tags = p.part();
          while (tags.at < tags.end) { var k = tags.varint(); codes[k][i] = tags.varint() + 1; }
        } else if (field === 3) block.type[i] = p.varint();
        else if (field === 4) {
          var g = p.part(), x = 0, y = 0, single = block.type[i] === POINT;
          if (single) from[parts++] = vertices;
          while (g.at < g.end) {
            var command = g.varint(), times = command >> 3;
            command &= 7;
            if (command === 7) continue;
            if (command === 1 && !single) from[parts++] = vertices;
            while (times--) {
              var v = g.varint(); x += (v >> 1) ^ -(v & 1);
              v = g.varint(); y += (v >> 1) ^ -(v & 1);
              xy[2 * vertices] = x; xy[2 * vertices + 1] = y; vertices++;
            }
          }
        } else p.skip(tag & 7);
      }
      block.part[i + 1] = parts;
    }
    from[parts] = vertices;
    keys.forEach(function (key, j) { block.codes[key] = codes[j]; });
    block.xy = xy.slice(0, 2 * vertices);
    block.from = from.slice(0, parts + 1);
    return block;
  }

  // -- in-page data --------------------------------------------------------------------------------------------------

  /* Packed data: {types: [..], parts: [per feature], lengths: [per part], xy: [1e-6 degrees, longitude and latitude, each
     less the one before], columns: {name: {values: [..], codes: [value + 1, or 0]}}}. Returns features in world pixels. */
  function unpack(data) {
    var n = data.types.length, columns = data.columns, total = data.xy.length / 2, i, lon = 0, lat = 0;
    var w = { n: n, type: Uint8Array.from(data.types), part: sums(data.parts), from: sums(data.lengths), columns: columns,
      xy: new Float64Array(2 * total), box: new Float64Array(4 * n), names: Object.keys(columns), codes: {} };
    w.names.forEach(function (name) { w.codes[name] = Uint32Array.from(columns[name].codes); });
    for (i = 0; i < total; i++) {
      lon += data.xy[2 * i]; lat += data.xy[2 * i + 1];
      var sin = Math.sin(lat * 1e-6 * Math.PI / 180);
      w.xy[2 * i] = SIZE * (lon * 1e-6 / 360 + 0.5);
      w.xy[2 * i + 1] = SIZE * (0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI));
    }
    for (i = 0; i < n; i++) {
      var b = [Infinity, Infinity, -Infinity, -Infinity];
      for (var v = w.from[w.part[i]]; v < w.from[w.part[i + 1]]; v++) {
        b[0] = Math.min(b[0], w.xy[2 * v]); b[1] = Math.min(b[1], w.xy[2 * v + 1]);
        b[2] = Math.max(b[2], w.xy[2 * v]); b[3] = Math.max(b[3], w.xy[2 * v + 1]);
      }
      w.box.set(b, 4 * i);
    }
    return w;
  }

  function sums(counts) {
    var out = new Uint32Array(counts.length + 1);
    for (var i = 0; i < counts.length; i++) out[i + 1] = out[i] + counts[i];
    return out;
  }

  function cut(w, coords) {
    var scale = Math.pow(2, coords.z), span = SIZE / scale, m = span / 16;
    var left = coords.x * span, top = coords.y * span, some = [], parts = 0, vertices = 0, i, p, v;
    for (i = 0; i < w.n; i++) {
      if (w.box[4 * i] > left + span + m || w.box[4 * i + 2] < left - m ||
          w.box[4 * i + 1] > top + span + m || w.box[4 * i + 3] < top - m) continue;
      some.push(i);
      parts += w.part[i + 1] - w.part[i];
      vertices += w.from[w.part[i + 1]] - w.from[w.part[i]];
    }
    if (!some.length) return null;
    var block = { n: some.length, type: new Uint8Array(some.length), part: new Uint32Array(some.length + 1), keys: w.names,
      from: new Uint32Array(parts + 1), xy: new Float32Array(2 * vertices), codes: {}, tables: {} };
    parts = vertices = 0;
    for (i = 0; i < some.length; i++) {
      var f = some[i];
      block.type[i] = w.type[f];
      for (p = w.part[f]; p < w.part[f + 1]; p++) {
        for (v = w.from[p]; v < w.from[p + 1]; v++, vertices++) {
          block.xy[2 * vertices] = (w.xy[2 * v] - left) / span * EXTENT;
          block.xy[2 * vertices + 1] = (w.xy[2 * v + 1] - top) / span * EXTENT;
        }
        block.from[++parts] = vertices;
      }
      block.part[i + 1] = parts;
    }
    w.names.forEach(function (name) {
      var codes = block.codes[name] = new Uint32Array(some.length);
      for (i = 0; i < some.length; i++) codes[i] = w.codes[name][some[i]];
      block.tables[name] = w.columns[name].values;
    });
    return block;
  }

  function table(block, name) { return block.tables ? block.tables[name] : block.values; }

  function property(block, name, f) {
    var codes = block.codes[name], code = codes ? codes[f] : 0;
    return code ? table(block, name)[code - 1] : null;
  }

  function properties(block, f) {
    var out = {};
    block.keys.forEach(function (name) { if (block.codes[name][f]) out[name] = property(block, name, f); });
    return out;
  }

  // -- classes and filters -------------------------------------------------------------------------------------------

  function classIndex(style, value) {
    var text = value === null || value === undefined ? "" : String(value), other = 0;
    for (var i = 0; i < style.classes.length; i++) {
      if (style.classes[i].values.indexOf(text) >= 0) return i;
      if (style.classes[i].id === style.fallback) other = i;
    }
    return other;
  }

  /* Decide once per value, then once per feature: class number, or 255 for what is filtered out. What the style's own
     column or a switched-off class hides is decided for whole paths (shown), so that such a change builds no path anew. */
  function classify(block, source) {
    var n = block.n, out = block.cls || (block.cls = new Uint8Array(n)), pass = block.pass, column = source.style.column;
    var codes = block.codes[column], values = table(block, column) || [], others = [];
    Object.keys(source.filter || {}).forEach(function (name) { if (name !== column && source.filter[name]) others.push(name); });
    var key = source.style.id + column + JSON.stringify(others.map(function (name) { return [name, source.filter[name]]; }));
    if (key !== block.key) {
      block.paths = null;
      block.key = key;
      pass = block.pass = others.length ? new Uint8Array(n).fill(1) : null;
      others.forEach(function (name) { narrow(block, pass, name, source.filter[name]); });
    }
    var own = source.filter && source.filter[column], off = source.hidden || [];
    function decide(code) {
      var value = code ? values[code - 1] : null, i = classIndex(source.style, value);
      return off.indexOf(source.style.classes[i].id) >= 0 || (own && !wanted(own, value)) ? 255 : i;
    }
    block.decide = decide;
    if (codes) {
      var decided = new Uint8Array(values.length + 1);
      used(block, column).forEach(function (code) { decided[code] = decide(code); });
      lookUp(out, codes, decided);
    } else out.fill(decide(0));
    if (pass) blank(out, pass);
    block.stamp = source.stamp;
  }

  function lookUp(out, codes, decided) { for (var f = 0; f < out.length; f++) out[f] = decided[codes[f]]; }
  function blank(out, pass) { for (var f = 0; f < out.length; f++) if (!pass[f]) out[f] = 255; }

  /* The codes that occur in a column of a block, found once. */
  function used(block, name) {
    var all = block.used || (block.used = {}), codes = block.codes[name];
    if (all[name]) return all[name];
    var seen = new Uint8Array(table(block, name).length + 1), out = [];
    for (var f = 0; f < codes.length; f++) if (!seen[codes[f]]) { seen[codes[f]] = 1; out.push(codes[f]); }
    return (all[name] = out);
  }

  /* Whether a value, or one of several joined by ";", is on the list. */
  function wanted(list, value) {
    if (typeof value === "string" && value.indexOf(";") > 0) return value.split(";").some(function (one) { return wanted(list, one); });
    for (var i = 0; i < list.length; i++) if (list[i] === value || (value !== null && list[i] !== null && String(list[i]) === String(value))) return true;
    return false;
  }

  function narrow(block, pass, name, list) {
    var of = block.codes[name], counts = block.codes.count, values = table(block, name) || [], allowed = new Uint8Array(values.length + 1);
    for (var f = 0; f < block.n; f++) {
      var c = of ? of[f] : 0;
      // Aggregates carry no column but those they are kept apart by: the server filters them.
      if (!pass[f] || (c === 0 && counts && counts[f])) continue;
      if (!allowed[c]) allowed[c] = wanted(list, c ? values[c - 1] : null) ? 1 : 2;
      if (allowed[c] === 2) pass[f] = 0;
    }
  }

  // -- drawing -------------------------------------------------------------------------------------------------------

  function trace(path, block, f, scale) {
    var xy = block.xy, from = block.from, close = block.type[f] === POLYGON;
    for (var p = block.part[f]; p < block.part[f + 1]; p++) {
      var v = from[p], end = from[p + 1];
      path.moveTo(xy[2 * v] * scale, xy[2 * v + 1] * scale);
      for (v++; v < end; v++) path.lineTo(xy[2 * v] * scale, xy[2 * v + 1] * scale);
      if (close) path.closePath();
    }
  }

  /* One path per value of the style's column and geometry, kept until another column's filter changes. */
  function paths(block, source, scale) {
    if (block.paths) return block.paths;
    var codes = block.codes[source.style.column], made = {}, list = [];
    for (var f = 0; f < block.n; f++) {
      if (block.pass && !block.pass[f]) continue;
      var type = block.type[f], key = (codes ? codes[f] : 0) * 4 + type, group = made[key];
      if (!group) {
        group = made[key] = { code: codes ? codes[f] : 0, type: type, path: type === POINT ? null : new Path2D(), features: [] };
        list.push(group);
      }
      if (type === POINT) group.features.push(f); else trace(group.path, block, f, scale);
    }
    return (block.paths = list);
  }

  var hatches = {};
  function hatch(ctx, color) {
    if (!hatches[color]) {
      var c = document.createElement("canvas"), h = c.getContext("2d");
      c.width = c.height = 8;
      h.strokeStyle = color; h.lineWidth = 1.2;
      h.beginPath(); h.moveTo(-2, 2); h.lineTo(2, -2); h.moveTo(0, 8); h.lineTo(8, 0); h.moveTo(6, 10); h.lineTo(10, 6); h.stroke();
      hatches[color] = c;
    }
    return ctx.createPattern(hatches[color], "repeat");
  }

  function symbol(ctx, kind, x, y, r) {
    ctx.beginPath();
    if (kind === "square") ctx.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
    else if (kind === "rect") ctx.rect(x - r, y - r * 0.6, r * 2, r * 1.2);
    else if (kind === "diamond") { ctx.moveTo(x, y - r * 1.2); ctx.lineTo(x + r * 1.2, y); ctx.lineTo(x, y + r * 1.2); ctx.lineTo(x - r * 1.2, y); ctx.closePath(); }
    else if (kind === "triangle") { ctx.moveTo(x, y - r * 1.2); ctx.lineTo(x + r * 1.15, y + r * 0.85); ctx.lineTo(x - r * 1.15, y + r * 0.85); ctx.closePath(); }
    else if (kind === "drop") { ctx.arc(x, y, r, Math.PI * 0.85, Math.PI * 0.15); ctx.lineTo(x, y + r * 1.55); ctx.closePath(); }
    else ctx.arc(x, y, r, 0, 2 * Math.PI);
  }

  function letter(ctx, text, x, y, px, ink, halo) {
    ctx.font = "600 " + px + "px " + FONT;
    ctx.textAlign = "center"; ctx.textBaseline = "middle";
    if (halo) { ctx.lineWidth = 4; ctx.lineJoin = "round"; ctx.strokeStyle = halo; ctx.strokeText(text, x, y + px * 0.06); }
    ctx.fillStyle = ink;
    ctx.fillText(text, x, y + px * 0.06);
  }
  var FONT = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Source Han Sans SC",system-ui,sans-serif';

  function drawBlock(ctx, block, source, zoom) {
    if (block.stamp !== source.stamp) classify(block, source);
    var scale = SIZE / EXTENT, classes = source.style.classes, thin = Math.min(1, Math.max(0.45, (zoom - 9) / 8));
    var groups = paths(block, source, scale).map(function (g) { return { cls: block.decide(g.code), type: g.type, path: g.path, features: g.features }; })
      .filter(function (g) { return g.cls !== 255; })
      .sort(function (a, b) { return b.type - a.type || a.cls - b.cls; });
    groups.forEach(function (g) {
      var c = classes[g.cls];
      if (g.type === POLYGON) {
        if (c.fill) { ctx.globalAlpha = c.opacity; ctx.fillStyle = c.fill; ctx.fill(g.path); ctx.globalAlpha = 1; }
        if (c.hatch) { ctx.fillStyle = hatch(ctx, c.stroke); ctx.fill(g.path); }
        if (c.stroke) stroke(ctx, g.path, c.stroke, c.width, c.dash);
      } else if (g.type === LINE) {
        stroke(ctx, g.path, c.stroke || c.fill, Math.max(0.8, c.width * thin), zoom >= 13 ? c.dash : []);
        if (c.arrow && zoom >= 16) arrows(ctx, block, g.cls, c, scale, source.style.layer === "pipes");
        if (c.letter && source.style.letters && zoom >= 17) lineLetters(ctx, block, g.cls, c, scale);
      } else dots(ctx, block, g.features, c, scale, zoom);
    });
  }

  function stroke(ctx, path, color, width, dash) {
    ctx.strokeStyle = color; ctx.lineWidth = width;
    ctx.setLineDash(dash || []);
    ctx.lineCap = dash && dash.length ? "butt" : "round"; ctx.lineJoin = "round";
    if (path) ctx.stroke(path); else ctx.stroke();
    ctx.setLineDash([]);
  }

  function dots(ctx, block, features, c, scale, zoom) {
    var counted = block.codes.count, color = c.fill && c.fill !== "#FFFFFF" ? c.fill : c.stroke;
    features.forEach(function (f) {
      var many = counted && counted[f], onTop = c.radius > ON_TOP && !many;
      if (onTop) return;
      for (var v = block.from[block.part[f]]; v < block.from[block.part[f + 1]]; v++) {
        var x = block.xy[2 * v] * scale, y = block.xy[2 * v + 1] * scale;
        if (many) { ctx.fillStyle = color; var r = zoom >= 11 ? 1 : 0.75; ctx.fillRect(x - r, y - r, 2 * r, 2 * r); continue; }
        symbol(ctx, c.symbol, x, y, zoom < 17 ? c.radius * 0.75 : c.radius);
        if (c.fill) { ctx.fillStyle = c.fill; ctx.fill(); }
        if (c.stroke) { ctx.strokeStyle = c.stroke; ctx.lineWidth = c.width; ctx.stroke(); }
        if (zoom >= 19 && c.letter) letter(ctx, c.letter, x + c.radius + 6, y, 10, c.ink);
      }
    });
  }

  /* Calls back with the middle of each part that is long enough on screen: x, y, direction, length in pixels. */
  function middles(block, cls, scale, least, call) {
    var xy = block.xy;
    for (var f = 0; f < block.n; f++) {
      if (block.cls[f] !== cls || block.type[f] !== LINE || (block.codes.count && block.codes.count[f])) continue;
      for (var p = block.part[f]; p < block.part[f + 1]; p++) {
        var a = block.from[p], b = block.from[p + 1], total = 0, v;
        for (v = a + 1; v < b; v++) total += Math.hypot(xy[2 * v] - xy[2 * v - 2], xy[2 * v + 1] - xy[2 * v - 1]);
        if (total * scale < least) continue;
        var half = total / 2;
        for (v = a + 1; v < b; v++) {
          var dx = xy[2 * v] - xy[2 * v - 2], dy = xy[2 * v + 1] - xy[2 * v - 1], d = Math.hypot(dx, dy);
          if (half <= d) { call(f, (xy[2 * v - 2] + dx * half / d) * scale, (xy[2 * v - 1] + dy * half / d) * scale, Math.atan2(dy, dx), total * scale); break; }
          half -= d;
        }
      }
    }
  }

  /* Surveyed pipes have an arrow where the direction is recorded; what we plan flows as it is drawn. */
  function arrows(ctx, block, i, c, scale, surveyed) {
    ctx.fillStyle = c.stroke;
    middles(block, i, scale, 28, function (f, x, y, angle) {
      var flow = property(block, "flow_dir", f);
      if (flow === "unknown" || (surveyed && flow === null)) return;
      if (flow !== null && String(flow) === "1") angle += Math.PI;
      var r = 3.2 + c.width * 0.9, cos = Math.cos(angle), sin = Math.sin(angle);
      ctx.beginPath();
      ctx.moveTo(x + cos * r, y + sin * r);
      ctx.lineTo(x - cos * r * 0.7 - sin * r * 0.75, y - sin * r * 0.7 + cos * r * 0.75);
      ctx.lineTo(x - cos * r * 0.7 + sin * r * 0.75, y - sin * r * 0.7 - cos * r * 0.75);
      ctx.fill();
    });
  }

  function lineLetters(ctx, block, i, c, scale) {
    middles(block, i, scale, 70, function (f, x, y, angle) {
      ctx.save();
      ctx.translate(x, y); ctx.rotate(Math.abs(angle) > Math.PI / 2 ? angle + Math.PI : angle);
      ctx.lineWidth = 3; ctx.strokeStyle = "#FFFFFF"; ctx.font = "600 11px " + FONT; ctx.textAlign = "center"; ctx.textBaseline = "middle";
      ctx.strokeText(c.letter, 0, -9); ctx.fillStyle = c.stroke; ctx.fillText(c.letter, 0, -9);
      ctx.restore();
    });
  }

  // -- picking -------------------------------------------------------------------------------------------------------

  function boxes(block) {
    if (block.box) return block.box;
    var out = block.box = new Float32Array(4 * block.n), xy = block.xy;
    for (var f = 0; f < block.n; f++) {
      var x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
      for (var v = block.from[block.part[f]], end = block.from[block.part[f + 1]]; v < end; v++) {
        var x = xy[2 * v], y = xy[2 * v + 1];
        if (x < x0) x0 = x; if (x > x1) x1 = x; if (y < y0) y0 = y; if (y > y1) y1 = y;
      }
      out[4 * f] = x0; out[4 * f + 1] = y0; out[4 * f + 2] = x1; out[4 * f + 3] = y1;
    }
    return out;
  }

  /* Distance in tile units from a point to feature f; 0 inside a polygon, Infinity outside. */
  function distance(block, f, x, y) {
    var xy = block.xy, best = Infinity, inside = false;
    for (var p = block.part[f]; p < block.part[f + 1]; p++) {
      var a = block.from[p], b = block.from[p + 1], v, w;
      if (block.type[f] === POLYGON) {
        for (v = a, w = b - 1; v < b; w = v++) {
          if ((xy[2 * v + 1] > y) !== (xy[2 * w + 1] > y) &&
              x < (xy[2 * w] - xy[2 * v]) * (y - xy[2 * v + 1]) / (xy[2 * w + 1] - xy[2 * v + 1]) + xy[2 * v]) inside = !inside;
        }
      } else if (block.type[f] === POINT) {
        for (v = a; v < b; v++) best = Math.min(best, Math.hypot(xy[2 * v] - x, xy[2 * v + 1] - y));
      } else {
        for (v = a + 1; v < b; v++) {
          var px = xy[2 * v - 2], py = xy[2 * v - 1], dx = xy[2 * v] - px, dy = xy[2 * v + 1] - py, len = dx * dx + dy * dy;
          var t = len ? Math.max(0, Math.min(1, ((x - px) * dx + (y - py) * dy) / len)) : 0;
          best = Math.min(best, Math.hypot(px + t * dx - x, py + t * dy - y));
        }
      }
    }
    return inside ? 0 : best;
  }

  function pickBlock(block, source, x, y, hits) {
    var unit = EXTENT / SIZE, box = boxes(block), reach = (TOLERANCE + 4) * unit;
    for (var f = 0; f < block.n; f++) {
      if (x < box[4 * f] - reach || x > box[4 * f + 2] + reach || y < box[4 * f + 1] - reach || y > box[4 * f + 3] + reach) continue;
      var c = source.style.classes[block.cls[f]];
      if (!c) continue;
      var d = distance(block, f, x, y) / unit, type = block.type[f];
      if (type === POLYGON ? d > 0 : type === LINE ? d > TOLERANCE + c.width / 2 : d > TOLERANCE + (c.radius > ON_TOP ? 0 : c.radius)) continue;
      hits.push(hit(block, f, source, d));
    }
  }

  function hit(block, f, source, d) {
    var id = property(block, source.key, f), count = property(block, "count", f);
    return { layer: source.id, id: id, properties: properties(block, f), count: id === null && count ? count : 1, type: block.type[f],
      distance: d, order: source.order };
  }

  // -- the layer -----------------------------------------------------------------------------------------------------

  var PAD = 96;  // pixels that the overlay reaches beyond the map, so that a short drag shows no edge

  var Layer = L.GridLayer.extend({
    options: { tileSize: SIZE, minZoom: 0, maxZoom: 22, noWrap: true, updateWhenZooming: false, keepBuffer: 1, accent: "#1A73E8", paper: "#FFFFFF", ink: "#202124", soft: "#5F6368" },

    initialize: function (options) {
      L.setOptions(this, options);
      this._sources = [];
      this._recs = {};
      this._top = [];
      this._selected = this._hovered = null;
      this._stamp = 0;
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
      this._canvas = this._frame = null;
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
        if (rec.gone || rec.aborts[s.id] !== abort) return;
        rec.blocks[s.id] = buffer && buffer.byteLength ? decode(buffer) : null;
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
    },

    // -- above the tiles: large symbols, letters, names, what is selected --

    _soon: function () {
      if (this._frame || !this._map) return;
      this._frame = L.Util.requestAnimFrame(function () { this._frame = null; this._over(); }, this);
    },

    /* Draw what lies above the tiles now, not with the next frame: a browser that prints shows no next frame. */
    flush: function () {
      L.Util.cancelAnimFrame(this._frame);
      this._frame = null;
      this._over();
      return this;
    },

    _current: function (call) {
      var zoom = this._tileZoom;
      this._each(function (rec) { if (rec.coords.z === zoom) call.call(this, rec); });
    },

    _over: function () {
      if (!this._map || !this._canvas || this._map._animatingZoom) return;
      var map = this._map, size = map.getSize(), ratio = Math.min(3, global.devicePixelRatio || 1), canvas = this._canvas;
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
      var view = { ctx: ctx, origin: origin, width: w, height: h, zoom: zoom, taken: [], names: [], said: [] };
      this._top = [];
      this._sources.forEach(function (s) { this._collect(s, view); }, this);
      this._highlight(this._hovered, view, 5, 0.45);
      this._highlight(this._selected, view, 6, 1);
      // Places before streets; a street's name once in a while.
      view.names.sort(function (a, b) { return (a.item.type === LINE) - (b.item.type === LINE) || b.item.source.order - a.item.source.order || b.item.span - a.item.span; });
      view.names.forEach(function (n) { this._name(n, view); }, this);
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
        if (c.letter && c.fill && view.zoom >= 9) {
          if (span >= 15) { r = Math.min(9, span / 3); letter(ctx, c.letter, x, y, Math.min(15, Math.max(10, span / 2.4)), c.ink, c.hatch ? c.fill : null); }
          else { r = 7.5; if (clash(view, x, y, r * 0.8, r * 0.8)) r = 3; badge(ctx, c, x, y, r); this._top.push(top(item, r)); }
        }
      } else if (item.type === POINT) {
        r = view.zoom < 13 ? c.radius * 0.75 : c.radius;
        if (r > ON_TOP * 0.75) {
          if (view.zoom < 14 && clash(view, x, y, r * 0.7, r * 0.7)) r = 3;
          badge(ctx, c, x, y, r);
          this._top.push(top(item, r));
        }
      }
      if (r) view.taken.push([x - r, y - r, x + r, y + r]);
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
      view.taken.push([n.x - hw, y - hh, n.x + hw, y + hh]);
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
  });

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
      var length = 0;
      for (v = a + 1; v < b; v++) length += Math.hypot(xy[2 * v] - xy[2 * v - 2], xy[2 * v + 1] - xy[2 * v - 1]) * unit;
      if (length <= item.span) continue;
      var half = length / 2 / unit;
      item.span = length; item.weight = 1;
      for (v = a + 1; v < b; v++) {
        var dx = xy[2 * v] - xy[2 * v - 2], dy = xy[2 * v + 1] - xy[2 * v - 1], d = Math.hypot(dx, dy);
        if (half <= d) { item.x = x0 + (xy[2 * v - 2] + dx * half / d) * unit; item.y = y0 + (xy[2 * v - 1] + dy * half / d) * unit; item.angle = Math.atan2(dy, dx); break; }
        half -= d;
      }
    }
  }

  function top(item, r) { return { source: item.source, block: item.block, f: item.f, x: item.x, y: item.y, r: r }; }

  function clash(view, x, y, hw, hh) {
    return view.taken.some(function (t) { return x - hw < t[2] && x + hw > t[0] && y - hh < t[3] && y + hh > t[1]; });
  }

  function badge(ctx, c, x, y, r) {
    symbol(ctx, r > 4 ? c.symbol : "circle", x, y, r);
    ctx.globalAlpha = 1; ctx.fillStyle = c.fill || c.stroke; ctx.fill();
    if (c.hatch && r > 4) { ctx.fillStyle = hatch(ctx, c.stroke); ctx.globalAlpha = 0.5; ctx.fill(); ctx.globalAlpha = 1; }
    ctx.strokeStyle = c.stroke || "#FFFFFF"; ctx.lineWidth = Math.min(c.width, 2); ctx.setLineDash(r > 4 ? c.dash || [] : []); ctx.stroke(); ctx.setLineDash([]);
    if (c.letter && r > 5) letter(ctx, c.letter, x, y, Math.max(9, r * 1.25), c.ink, c.hatch ? c.fill : null);
  }

  /* Draw the legend's picture of a class, w by h pixels; shape is "area", "line" or "point". */
  function swatch(ctx, c, shape, w, h) {
    if (shape === "point") { badge(ctx, c, w / 2, h / 2, Math.min(c.radius, h / 2 - 2)); return; }
    if (shape === "line") {
      ctx.beginPath(); ctx.moveTo(1, h / 2); ctx.lineTo(w - 1, h / 2);
      stroke(ctx, undefined, c.stroke || c.fill, c.width, c.dash);
      return;
    }
    ctx.beginPath(); ctx.rect(3, 2, w - 6, h - 4);
    if (c.fill) { ctx.globalAlpha = c.opacity; ctx.fillStyle = c.fill; ctx.fill(); ctx.globalAlpha = 1; }
    if (c.hatch) { ctx.fillStyle = hatch(ctx, c.stroke); ctx.fill(); }
    if (c.stroke) stroke(ctx, undefined, c.stroke, c.width, c.dash);
    if (c.letter) letter(ctx, c.letter, w / 2, h / 2, 13, c.ink, c.hatch ? c.fill : null);
  }

  function classOf(style, value) { return style.classes[classIndex(style, value)]; }

  global.MapappTiles = { swatch: swatch, classOf: classOf, layer: function (options) { return new Layer(options); }, Layer: Layer, decode: decode, unpack: unpack };
}(window));
