/* This script finds the features of a block that lie at a point. */
(function (global) {
  "use strict";
  var T = (global.MapappTiles = global.MapappTiles || {});
  var parts = (T.parts = T.parts || {});
  var EXTENT = 4096, SIZE = 256, POINT = 1, LINE = 2, POLYGON = 3;
  var property = parts.property, properties = parts.properties, ON_TOP = parts.ON_TOP;

  var TOLERANCE = 6;  // pixels: how near a pick must be

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

  parts.pickBlock = pickBlock;
  parts.hit = hit;
}(typeof window === "undefined" ? self : window));
