/* This script draws the surroundings of the phone as a sketch, north up. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var svg = Mapapp.dom.svg,
    yard = Mapapp.yard,
    the = yard.state;
  var REACH_M = 60;

  /** The surroundings as a sketch, north up: outlines of unserved compounds, the places, and the phone with its accuracy. */
  function drawSketch(list) {
    var root = document.getElementById("sketch"),
      from = yard.here();
    Mapapp.dom.clear(root);
    if (!from) return;
    var box = root.getBoundingClientRect(),
      wide = box.width || 390,
      high = box.height || 220;
    var reach = Math.max(
      REACH_M,
      Math.min(
        400,
        1.15 *
          Math.max.apply(
            null,
            list
              .slice(0, 3)
              .map(function (place) {
                return place.away;
              })
              .concat(0)
          )
      )
    );
    var scale = Math.min(wide, high) / 2 / reach;
    var spot = function (at) {
      var d = yard.offset(from, at);
      return [wide / 2 + d[0] * scale, high / 2 - d[1] * scale];
    };
    root.setAttribute("viewBox", "0 0 " + wide + " " + high);
    var add = function (node) {
      root.appendChild(node);
      return node;
    };
    the.pack.compounds.forEach(function (one) {
      if (!one.at || yard.away(from, one.at) > 4 * reach + 300) return;
      one.outline.forEach(function (ring) {
        add(
          svg("path", {
            "class": "home",
            d:
              "M" +
              ring
                .map(function (at) {
                  return spot(at)
                    .map(function (v) {
                      return v.toFixed(1);
                    })
                    .join(" ");
                })
                .join("L") +
              "Z"
          })
        );
      });
      var middle = spot(one.at);
      add(svg("text", { "class": "home-name", x: middle[0], y: middle[1] }, one.name || one.compound_id));
    });
    var ring =
      [5, 10, 20, 50, 100, 200].filter(function (m) {
        return m * scale >= 40;
      })[0] || 400;
    add(svg("circle", { "class": "ring", cx: wide / 2, cy: high / 2, r: ring * scale }));
    add(svg("text", { "class": "ring-name", x: wide / 2, y: high / 2 + ring * scale - 4 }, yard.metres(ring)));
    if (the.me) {
      add(svg("circle", { "class": "fuzz", cx: wide / 2, cy: high / 2, r: Math.max(10, the.me.accuracy * scale) }));
      add(svg("circle", { "class": "me", id: "me", cx: wide / 2, cy: high / 2, r: 8 }));
    }
    list
      .slice()
      .reverse()
      .forEach(function (place) {
        var at = spot(place.at),
          i = list.indexOf(place) + 1;
        if (at[0] < -20 || at[1] < -20 || at[0] > wide + 20 || at[1] > high + 20) return;
        var node = add(
          svg(
            "g",
            {
              "class": "spot" + (the.chosen === place.node_id ? " on" : ""),
              "data-node": place.node_id,
              transform: "translate(" + at[0].toFixed(1) + " " + at[1].toFixed(1) + ")"
            },
            svg("circle", { r: 22, "class": "touch" }),
            svg("circle", { r: 12 }),
            svg("text", { y: 4 }, i)
          )
        );
        node.addEventListener("click", function () {
          yard.choose(place.node_id);
        });
      });
    add(svg("path", { "class": "north", d: "M" + (wide - 22) + " 34v-22l-5 9m5-9 5 9" }));
  }

  yard.drawSketch = drawSketch;
})();
