/* This script reads Mapbox Vector Tiles into typed arrays. It runs in a page and in a worker alike. */
(function (global) {
  "use strict";
  var T = (global.MapappTiles = global.MapappTiles || {});
  var parts = (T.parts = T.parts || {});
  var POINT = 1;

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

  /* Decode large tiles in a worker that runs this very script, so that no frame is late for them; here where there is no
     worker, or none can be had (a page from a file). Returns a promise of a block or null. */
  var LARGE = 30000;  // bytes; below, asking costs more than decoding
  var script = typeof document === "undefined" || !document.currentScript ? "" : document.currentScript.src;
  var worker = null, asked = {}, number = 0;

  function decodeAway(buffer) {
    if (buffer.byteLength < LARGE || !script || !global.Worker || worker === false) return Promise.resolve(buffer).then(decode);
    try { worker = worker || start(); } catch (e) { worker = false; return decodeAway(buffer); }
    return new Promise(function (done, failed) {
      asked[++number] = { done: done, failed: failed, buffer: buffer };
      worker.postMessage({ number: number, buffer: buffer });
    });
  }

  function start() {
    var made = new global.Worker(script);
    made.onmessage = function (event) {
      var one = asked[event.data.number];
      delete asked[event.data.number];
      if (event.data.error) one.failed(new Error(event.data.error)); else one.done(event.data.block);
    };
    made.onerror = function () {  // it could not be loaded: what it was asked is answered here
      var left = asked;
      worker = false;
      asked = {};
      Object.keys(left).forEach(function (n) { decodeAway(left[n].buffer).then(left[n].done, left[n].failed); });
    };
    return made;
  }

  /* The other side: bytes in, a block out, whose arrays are handed over and not copied. */
  if (typeof window === "undefined") {
    global.onmessage = function (event) {
      var block, arrays = [];
      try { block = decode(event.data.buffer); } catch (e) {
        global.postMessage({ number: event.data.number, error: String(e.message || e) });
        return;
      }
      if (block) {
        arrays = [block.type.buffer, block.part.buffer, block.from.buffer, block.xy.buffer];
        Object.keys(block.codes).forEach(function (key) { arrays.push(block.codes[key].buffer); });
      }
      global.postMessage({ number: event.data.number, block: block }, arrays);
    };
  }

  parts.decodeAway = decodeAway;
  T.decode = decode;
}(typeof window === "undefined" ? self : window));
