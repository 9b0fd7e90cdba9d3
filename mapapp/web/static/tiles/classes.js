/* This script decides which class of the legend a feature is in and whether the filters let it through. */
(function (global) {
  "use strict";
  var T = (global.MapappTiles = global.MapappTiles || {});
  var parts = (T.parts = T.parts || {});
  var table = parts.table;

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


  function classOf(style, value) { return style.classes[classIndex(style, value)]; }

  parts.classify = classify;
  T.classOf = classOf;
}(typeof window === "undefined" ? self : window));
