/* This script holds the view (place, layers, filters, selection, snapshot) and keeps it equal to the address.

   ?at=z/lat/lon&on=layers&f.<column>=a,b&sel=layer:id&as=snapshot&lang=en
   Panning replaces the entry of the history; a choice (filter, layer, selection, snapshot) adds one. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var listeners = [];
  var current = parse(window.location.search);

  function decode(text) {
    try {
      return decodeURIComponent(text.replace(/\+/g, " "));
    } catch (error) {
      return text;
    }
  }

  /** "?at=…" -> {at: {z, lat, lon} | null, on: [names] | null, f: {column: [values]}, sel: {layer, id} | null, as, lang}. */
  function parse(search) {
    var state = { at: null, on: null, f: {}, sel: null, as: null, lang: null };
    search
      .replace(/^\?/, "")
      .split("&")
      .forEach(function (pair) {
        if (!pair) return;
        var cut = pair.indexOf("=");
        var key = decode(cut < 0 ? pair : pair.slice(0, cut));
        var raw = cut < 0 ? "" : pair.slice(cut + 1);
        var value = decode(raw);
        // a comma inside a value is written "\\,"
        var list = function () {
          return value
            .replace(/\\,/g, "\u0000")
            .split(",")
            .filter(Boolean)
            .map(function (item) {
              return item.replace(/\u0000/g, ",");
            });
        };
        if (key === "at") {
          var m = /^(\d{1,2}(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)$/.exec(value);
          if (m && Math.abs(m[2]) <= 85 && Math.abs(m[3]) <= 180)
            state.at = { z: Number(m[1]), lat: Number(m[2]), lon: Number(m[3]) };
        } else if (key === "on") state.on = list();
        else if (key.slice(0, 2) === "f.") {
          if (list().length) state.f[key.slice(2)] = list();
        } else if (key === "sel") {
          var colon = value.indexOf(":");
          if (colon > 0) state.sel = { layer: value.slice(0, colon), id: value.slice(colon + 1) };
        } else if (key === "as") state.as = value || null;
        else if (key === "lang") state.lang = value || null;
      });
    return state;
  }

  function encode(value) {
    return encodeURIComponent(value).replace(/%2C/g, ",").replace(/%2F/g, "/").replace(/%3A/g, ":");
  }

  /** The same state always gives the same address: fixed order, sorted lists, nothing that is empty. */
  function address(state) {
    var parts = [];
    if (state.at)
      parts.push(
        "at=" + Math.round(state.at.z * 100) / 100 + "/" + state.at.lat.toFixed(5) + "/" + state.at.lon.toFixed(5)
      );
    if (state.on) parts.push("on=" + state.on.slice().sort().map(encode).join(","));
    Object.keys(state.f)
      .sort()
      .forEach(function (column) {
        if (state.f[column].length)
          parts.push(
            "f." +
              encode(column) +
              "=" +
              state.f[column]
                .slice()
                .sort()
                .map(function (value) {
                  return encode(value.replace(/,/g, "\\,"));
                })
                .join(",")
          );
      });
    if (state.sel) parts.push("sel=" + encode(state.sel.layer) + ":" + encode(state.sel.id));
    if (state.as) parts.push("as=" + encode(state.as));
    if (state.lang) parts.push("lang=" + encode(state.lang));
    return parts.length ? "?" + parts.join("&") : "";
  }

  function copy(state) {
    return JSON.parse(JSON.stringify(state));
  }

  /** Change parts of the view. options.replace keeps the history entry; listeners hear (now, before, "set"). */
  function set(patch, options) {
    var before = current,
      now = copy(current);
    Object.keys(patch).forEach(function (key) {
      now[key] = patch[key];
    });
    if (address(now) === address(before)) return;
    current = now;
    var url = window.location.pathname + address(now);
    if (options && options.replace) window.history.replaceState(null, "", url);
    else window.history.pushState(null, "", url);
    tell(before, "set");
  }

  function tell(before, why) {
    listeners.slice().forEach(function (listener) {
      listener(copy(current), before, why);
    });
  }

  window.addEventListener("popstate", function () {
    var before = current;
    current = parse(window.location.search);
    tell(before, "history");
  });

  /** The query of the filters and the snapshot alone, as every data request carries it. */
  function query(extra) {
    var state = copy(current);
    var text = address({ at: null, on: null, f: state.f, sel: null, as: state.as, lang: Mapapp.lang });
    Object.keys(extra || {}).forEach(function (key) {
      if (extra[key] !== null && extra[key] !== undefined)
        text += (text ? "&" : "?") + key + "=" + encode(String(extra[key]));
    });
    return text;
  }

  Mapapp.state = {
    get: function () {
      return copy(current);
    },
    set: set,
    on: function (listener) {
      listeners.push(listener);
    },
    query: query,
    parse: parse,
    address: address
  };
})();
