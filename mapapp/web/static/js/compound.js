/* This script fills the page of one compound: verdict, evidence, candidates, findings, facts, history, and a sketch of where. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    svg = Mapapp.dom.svg,
    t = Mapapp.t;

  /* On the map page these move the map; here a click opens the map at the place. */
  Mapapp.maplayer = {
    flash: function (at) {
      window.location.assign(
        "/?at=18/" + at[1].toFixed(5) + "/" + at[0].toFixed(5) + "&on=compounds,candidates,manholes,pipes"
      );
    }
  };
  Mapapp.sheet = { tab: function () {}, foldLeft: function () {} };

  function rings(geometry) {
    if (!geometry) return [];
    if (geometry.type === "Polygon") return geometry.coordinates;
    if (geometry.type === "MultiPolygon") return [].concat.apply([], geometry.coordinates);
    return [];
  }

  /* A candidate is a line to a manhole: the sketch marks the manhole. */
  function places(feature) {
    return Promise.all(
      (feature.candidates || []).slice(0, 5).map(function (row) {
        return Mapapp.api.get("/features/manholes/" + encodeURIComponent(row.manhole_id) + Mapapp.state.query()).then(
          function (manhole) {
            row._at = manhole.at || row._at;
          },
          function () {}
        );
      })
    ).then(function () {
      return feature;
    });
  }

  /** The outline with its candidate inlets, north up, drawn to scale in local metres. */
  function sketch(feature) {
    var lines = rings(feature.geometry);
    var spots = (feature.candidates || [])
      .filter(function (row) {
        return row._at;
      })
      .slice(0, 5);
    if (!lines.length) return null;
    var all = [].concat.apply([], lines).concat(
      spots.map(function (row) {
        return row._at;
      })
    );
    var lat = all[0][1],
      kx = 111320 * Math.cos((lat * Math.PI) / 180),
      ky = 110540;
    var xs = all.map(function (p) {
        return p[0] * kx;
      }),
      ys = all.map(function (p) {
        return -p[1] * ky;
      });
    var minX = Math.min.apply(null, xs),
      maxX = Math.max.apply(null, xs),
      minY = Math.min.apply(null, ys),
      maxY = Math.max.apply(null, ys);
    var wide = Math.max(maxX - minX, (maxY - minY) * 1.6, 40) * 1.35,
      high = wide / 1.6,
      unit = wide / 640;
    var left = (minX + maxX) / 2 - wide / 2,
      top = (minY + maxY) / 2 - high / 2;
    var place = function (p) {
      return [p[0] * kx - left, -p[1] * ky - top];
    };
    var look = Mapapp.symbols.classOf("status", value(feature, "status"));
    var path = lines
      .map(function (ring) {
        return (
          "M" +
          ring
            .map(function (p) {
              var q = place(p);
              return q[0].toFixed(1) + " " + q[1].toFixed(1);
            })
            .join("L") +
          "Z"
        );
      })
      .join("");
    var bar = Math.pow(10, Math.floor(Math.log(wide / 4) / Math.LN10));
    var step =
      [5, 2, 1].filter(function (n) {
        return n * bar <= wide / 4;
      })[0] * bar;
    var text = function (x, y, words, anchor) {
      return svg("text", { x: x, y: y, "text-anchor": anchor || "start", "font-size": 14 * unit }, words);
    };
    var root = svg(
      "svg",
      {
        viewBox: "0 0 " + wide.toFixed(1) + " " + high.toFixed(1),
        "class": "sketch",
        role: "img",
        "aria-label": t("compound.map")
      },
      svg("path", {
        d: path,
        "fill-rule": "evenodd",
        fill: /^#/.test(look.color) ? look.color : "none",
        "fill-opacity": 0.35,
        stroke: look.stroke || "currentColor",
        "stroke-width": 3 * unit
      }),
      spots.map(function (row, i) {
        var q = place(row._at);
        return [
          svg("circle", {
            cx: q[0],
            cy: q[1],
            r: 9 * unit,
            fill: "var(--paper)",
            stroke: "var(--accent)",
            "stroke-width": 3 * unit
          }),
          text(q[0], q[1] + 5 * unit, row.rank || i + 1, "middle")
        ];
      }),
      svg("path", {
        d: "M" + 16 * unit + " " + (high - 16 * unit) + "v" + 6 * unit + "h" + step + "v" + -6 * unit,
        fill: "none",
        stroke: "currentColor",
        "stroke-width": 2 * unit
      }),
      text(16 * unit + step + 8 * unit, high - 10 * unit, step + (Mapapp.lang === "en" ? " m" : " 米")),
      svg("path", {
        d:
          "M" +
          (wide - 24 * unit) +
          " " +
          40 * unit +
          "v" +
          -28 * unit +
          "l" +
          -6 * unit +
          " " +
          12 * unit +
          "m" +
          6 * unit +
          " " +
          -12 * unit +
          "l" +
          6 * unit +
          " " +
          12 * unit,
        fill: "none",
        stroke: "currentColor",
        "stroke-width": 2 * unit
      }),
      text(wide - 24 * unit, 58 * unit, "N", "middle")
    );
    return el("section", { "class": "card" }, el("h2", {}, t("compound.map")), root);
  }

  function value(feature, name) {
    var found = (feature.attributes || []).filter(function (item) {
      return item.name === name;
    })[0];
    return found ? found.value : undefined;
  }

  function bigFacts(feature) {
    var list = [
      ["households", "households", "facts.households"],
      ["area_m2", "floor_area_m2", "facts.area"],
      ["buildings", "buildings", "facts.buildings"],
      ["money_wan", "invest_total_wan", "facts.money"]
    ];
    return el(
      "dl",
      { "class": "big-facts" },
      list
        .filter(function (item) {
          return value(feature, item[1]) !== undefined;
        })
        .map(function (item) {
          var q = Mapapp.format.quantity(item[0], value(feature, item[1]));
          return el(
            "div",
            {},
            el("dt", {}, t(item[2])),
            el("dd", {}, el("b", {}, q.value), " ", el("span", { "class": "unit" }, q.unit))
          );
        })
    );
  }

  function history(feature) {
    var rows = feature.history || [];
    if (!rows.length) return null;
    return el(
      "section",
      { "class": "card" },
      el("h2", {}, t("card.history")),
      el(
        "div",
        { "class": "scroll" },
        el(
          "table",
          { "class": "grid tight" },
          el(
            "thead",
            {},
            el(
              "tr",
              {},
              ["at", "by", "column", "before", "after"].map(function (name) {
                return el("th", { scope: "col" }, t("history." + name));
              })
            )
          ),
          el(
            "tbody",
            {},
            rows.map(function (row) {
              return el(
                "tr",
                {},
                el("td", {}, Mapapp.format.date(row.at)),
                el("td", {}, row.by),
                el("td", {}, row.label || row.column || ""),
                el("td", {}, row.before === null || row.before === undefined ? "?" : row.before),
                el("td", {}, row.after === null || row.after === undefined ? "?" : row.after)
              );
            })
          )
        )
      )
    );
  }

  function card(child) {
    return child ? el("div", { "class": "card" }, child) : null;
  }

  function draw(feature) {
    var root = document.getElementById("compound"),
      at = feature.at;
    var here =
      "/?sel=compounds:" +
      encodeURIComponent(feature.id) +
      (at ? "&at=17/" + at[1].toFixed(5) + "/" + at[0].toFixed(5) : "");
    document.title = feature.title + " · " + document.title.split(" · ").slice(1).join(" · ");
    Mapapp.dom.fill(
      root,
      el(
        "div",
        { "class": "page-head" },
        el(
          "div",
          {},
          Mapapp.about.heading(feature, "h1"),
          el("p", { "class": "muted small" }, t("as_of", { date: Mapapp.format.date(feature.as_of) }))
        ),
        el(
          "div",
          { "class": "row page-act" },
          el("a", { "class": "button primary", href: here }, t("compound.on_map")),
          el(
            "button",
            {
              type: "button",
              "class": "button",
              on: {
                click: function () {
                  window.print();
                }
              }
            },
            t("compound.print")
          )
        )
      ),
      bigFacts(feature),
      el(
        "div",
        { "class": "compound-grid" },
        el(
          "div",
          {},
          Mapapp.about.verdictBox(feature) || el("p", { "class": "empty card" }, t("compound.no_verdict")),
          card(Mapapp.about.evidenceList(feature, true)),
          card(Mapapp.about.candidateTable(feature)),
          card(Mapapp.about.linkList(feature)),
          card(Mapapp.findings.list(feature)) || el("p", { "class": "empty card" }, t("compound.no_findings")),
          card(Mapapp.about.problemList(feature))
        ),
        el("div", {}, sketch(feature), card(Mapapp.about.attributeList(feature, { open: true })), history(feature))
      )
    );
  }

  function start() {
    var root = document.getElementById("compound");
    Mapapp.config = Mapapp.dom.block("config") || {};
    Promise.all([
      Mapapp.api.get("/view" + Mapapp.state.query()),
      Mapapp.api.get("/features/compounds/" + encodeURIComponent(root.getAttribute("data-id")) + Mapapp.state.query())
    ])
      .then(function (both) {
        Mapapp.view = both[0];
        return places(both[1]).then(draw);
      })
      .then(null, function (error) {
        Mapapp.dom.fill(
          root,
          el("p", { "class": "notice error", role: "alert" }, error.message),
          el("p", {}, el("a", { href: "/" }, t("print.close")))
        );
      });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
