/* This script knows what the yard page asks of a place: how far, which way, why it is wanted, what is known of it. It draws nothing. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var t = Mapapp.t;
  var SHOWN = 8;
  var the = { pack: null, me: null, chosen: null, mark: null, photo: null, compound: "", waiting: [], sending: false };

  /* Where things are: WGS 84 as the phone gives it, our own data in the same degrees, no base map to shift anything. */

  /** Metres east and north from a to b ([lon, lat]); the series of the WGS 84 ellipsoid, right to a millimetre in a yard. */
  function offset(a, b) {
    var lat = (((a[1] + b[1]) / 2) * Math.PI) / 180;
    var ky = 111132.954 - 559.822 * Math.cos(2 * lat) + 1.175 * Math.cos(4 * lat);
    var kx = 111412.84 * Math.cos(lat) - 93.5 * Math.cos(3 * lat) + 0.118 * Math.cos(5 * lat);
    return [(b[0] - a[0]) * kx, (b[1] - a[1]) * ky];
  }

  function away(a, b) {
    var d = offset(a, b);
    return Math.hypot(d[0], d[1]);
  }

  function bearing(a, b) {
    var d = offset(a, b);
    return ((Math.atan2(d[0], d[1]) * 180) / Math.PI + 360) % 360;
  }

  function compass(degrees) {
    return t("yard.compass").split(",")[Math.round(degrees / 45) % 8];
  }

  function metres(m) {
    return t("yard.distance", { m: Mapapp.format.number(m < 1000 ? Math.round(m) : Math.round(m / 10) * 10) });
  }

  function home(id) {
    return the.pack.compounds.filter(function (one) {
      return one.compound_id === id;
    })[0];
  }

  /** Where distances start: the phone, else the middle of the chosen compound, else of the first. */
  function here() {
    if (the.me) return the.me.at;
    var one = home(the.compound) || the.pack.compounds[0];
    return one && one.at;
  }

  /** The places to look for, nearest first; of one compound in the order of its candidates when there is no position. */
  function places() {
    var list = the.pack.places.filter(function (place) {
      return (
        !the.compound ||
        place.wanted.some(function (w) {
          return w.compound_id === the.compound;
        })
      );
    });
    var from = here();
    list.forEach(function (place) {
      place.away = from ? away(from, place.at) : Infinity;
    });
    if (!the.me && the.compound)
      return list
        .sort(function (a, b) {
          return rank(a) - rank(b) || a.away - b.away;
        })
        .slice(0, SHOWN);
    return list
      .sort(function (a, b) {
        return a.away - b.away || (a.node_id < b.node_id ? -1 : 1);
      })
      .slice(0, SHOWN);
  }

  function rank(place) {
    var mine = place.wanted.filter(function (w) {
      return w.compound_id === the.compound;
    })[0];
    return mine && mine.rank ? mine.rank : 99;
  }

  function why(place) {
    var w =
      place.wanted.filter(function (one) {
        return !the.compound || one.compound_id === the.compound;
      })[0] || place.wanted[0];
    var of = home(w.compound_id),
      name = of ? of.name || of.compound_id : w.compound_id;
    return w.rank ? t("yard.rank", { name: name, n: w.rank }) : t("yard.inlet", { name: name });
  }

  function word(mark) {
    return the.pack.marks.reduce(function (found, one) {
      return one.value === mark ? one.label : found;
    }, mark || "");
  }

  /** What is known of a manhole: a draft on this phone, else the newest visit, else what the survey says. */
  function known(place) {
    var mine = the.waiting
      .filter(function (draft) {
        return draft.node_id === place.node_id;
      })
      .pop();
    return mine ? mine.found : place.last ? place.last.found : place.found;
  }

  Mapapp.yard = {
    state: the,
    offset: offset,
    away: away,
    bearing: bearing,
    compass: compass,
    metres: metres,
    home: home,
    here: here,
    places: places,
    why: why,
    word: word,
    known: known
  };
})();
