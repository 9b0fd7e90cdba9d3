/* This script draws the features of one tile on a canvas, and the legend's picture of a class. */
(function (global) {
  "use strict";
  var T = (global.MapappTiles = global.MapappTiles || {});
  var parts = (T.parts = T.parts || {});
  var EXTENT = 4096, SIZE = 256, POINT = 1, LINE = 2, POLYGON = 3;
  var property = parts.property, classify = parts.classify, length = parts.length, halfway = parts.halfway;

  var ON_TOP = 3.5;  // pixels: points larger than this are drawn above all tiles

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

  /* Calls back with the middle of each part that is long enough on screen: x, y, direction. */
  function middles(block, cls, scale, least, call) {
    var xy = block.xy;
    for (var f = 0; f < block.n; f++) {
      if (block.cls[f] !== cls || block.type[f] !== LINE || (block.codes.count && block.codes.count[f])) continue;
      for (var p = block.part[f]; p < block.part[f + 1]; p++) {
        var a = block.from[p], b = block.from[p + 1], total = length(xy, a, b);
        if (total * scale < least) continue;
        var middle = halfway(xy, a, b, total);
        if (middle) call(f, middle.x * scale, middle.y * scale, middle.angle);
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

  parts.trace = trace;
  parts.drawBlock = drawBlock;
  parts.letter = letter;
  parts.badge = badge;
  parts.ON_TOP = ON_TOP;
  parts.FONT = FONT;
  T.swatch = swatch;
}(typeof window === "undefined" ? self : window));
