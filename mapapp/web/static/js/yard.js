/* This script is the yard page: where am I, which manholes are near and which way, what was found; kept first, sent later. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    svg = Mapapp.dom.svg,
    t = Mapapp.t,
    drafts = Mapapp.drafts;
  var REACH_M = 60,
    SHOWN = 8,
    EVERY_MS = 20000,
    PHOTO_PX = 1600;
  var the = { pack: null, me: null, chosen: null, mark: null, photo: null, compound: "", waiting: [], sending: false };
  var byId = function (id) {
    return document.getElementById(id);
  };

  /* -- where things are: WGS 84 as the phone gives it, our own data in the same degrees, no base map to shift anything -- */

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

  /* -- drawing -------------------------------------------------------------------------------------------------------- */

  function drawPlaces(list) {
    var from = here();
    Mapapp.dom.fill(
      byId("places"),
      list.length
        ? list.map(function (place, i) {
            var way = from ? bearing(from, place.at) : 0,
              on = the.chosen === place.node_id,
              mark = known(place);
            return el(
              "li",
              {},
              el(
                "button",
                {
                  type: "button",
                  "class": "place",
                  "aria-pressed": on ? "true" : "false",
                  "data-node": place.node_id,
                  on: {
                    click: function () {
                      choose(place.node_id);
                    }
                  }
                },
                el("span", { "class": "place-no" }, i + 1),
                the.me
                  ? el(
                      "span",
                      { "class": "place-way", "aria-hidden": "true" },
                      svg(
                        "svg",
                        { viewBox: "-10 -10 20 20" },
                        svg("path", {
                          d: "M0-8 5 7 0 4-5 7z",
                          transform: "rotate(" + way.toFixed(0) + ")",
                          fill: "currentColor"
                        })
                      )
                    )
                  : null,
                el("span", { "class": "place-text" }, el("b", {}, place.node_id), el("small", {}, why(place))),
                el(
                  "span",
                  { "class": "place-far" },
                  the.me ? el("span", {}, el("b", {}, metres(place.away)), el("small", {}, " " + (place.away < 2 ? t("yard.underfoot") : compass(way)))) : null,
                  mark && mark !== "not_visited" ? el("small", { "class": "place-mark " + mark }, word(mark)) : null
                )
              )
            );
          })
        : el("li", { "class": "empty" }, t("yard.none"))
    );
  }

  /** The surroundings as a sketch, north up: outlines of unserved compounds, the places, and the phone with its accuracy. */
  function drawSketch(list) {
    var root = byId("sketch"),
      from = here();
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
      var d = offset(from, at);
      return [wide / 2 + d[0] * scale, high / 2 - d[1] * scale];
    };
    root.setAttribute("viewBox", "0 0 " + wide + " " + high);
    var add = function (node) {
      root.appendChild(node);
      return node;
    };
    the.pack.compounds.forEach(function (one) {
      if (!one.at || away(from, one.at) > 4 * reach + 300) return;
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
    add(svg("text", { "class": "ring-name", x: wide / 2, y: high / 2 + ring * scale - 4 }, metres(ring)));
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
          choose(place.node_id);
        });
      });
    add(svg("path", { "class": "north", d: "M" + (wide - 22) + " 34v-22l-5 9m5-9 5 9" }));
  }

  function drawMarks() {
    var box = byId("marks"),
      legend = byId("chosen");
    legend.textContent = the.chosen ? the.chosen + " · " + t("yard.mark") : t("yard.mark");
    Array.prototype.slice.call(box.querySelectorAll("label")).forEach(function (node) {
      box.removeChild(node);
    });
    the.pack.marks.forEach(function (one) {
      box.appendChild(
        el(
          "label",
          { "class": "mark " + one.value },
          el("input", {
            type: "radio",
            name: "found",
            value: one.value,
            checked: the.mark === one.value,
            on: {
              change: function () {
                the.mark = one.value;
              }
            }
          }),
          el("span", {}, one.label)
        )
      );
    });
  }

  function drawFix() {
    var text = the.me
      ? t("yard.located", { m: Math.round(the.me.accuracy) }) +
        " · " +
        t("yard.age", { date: Mapapp.format.date(the.pack.as_of) })
      : t(!window.isSecureContext ? "yard.insecure" : the.denied ? "yard.denied" : "yard.locating");
    byId("fix").textContent = the.pack.compounds.length ? text : t("yard.none");
  }

  function drawSignal() {
    var node = byId("signal"),
      n = the.waiting.length,
      off = the.offline || navigator.onLine === false;
    node.className = "signal " + (off ? "off" : n ? "some" : "on");
    node.textContent = (off ? t("yard.offline") : t("yard.online")) + (n ? " · " + t("yard.pending", { n: n }) : "");
    Mapapp.dom.fill(
      byId("draft-list"),
      n
        ? the.waiting.map(function (draft) {
            return el(
              "li",
              {},
              el(
                "div",
                {},
                el("b", {}, draft.node_id || draft.compound_id),
                " ",
                word(draft.found),
                draft.photo ? " · " + t("yard.photo") : "",
                el("small", { "class": "muted" }, " " + Mapapp.format.instant(draft.visited_at)),
                draft.fault ? el("p", { "class": "notice error" }, draft.fault) : null
              ),
              el(
                "button",
                {
                  type: "button",
                  "class": "button danger",
                  on: {
                    click: function () {
                      drafts.remove(draft.visit_id).then(refresh);
                    }
                  }
                },
                t("yard.delete")
              )
            );
          })
        : el("li", { "class": "muted" }, t("yard.sent_all"))
    );
  }

  function drawNewer() {
    var node = byId("newer"),
      audit = the.pack.audit || {};
    node.hidden = !audit.newer && !the.auditing;
    Mapapp.dom.fill(
      node,
      el(
        "span",
        {},
        the.auditing
          ? t("yard.auditing", { n: Math.round(100 * the.auditing.progress) })
          : t("yard.newer", { n: audit.changes })
      ),
      the.pack.edits && !the.auditing
        ? el("button", { type: "button", "class": "button", id: "audit", on: { click: audit_again } }, t("yard.audit"))
        : null
    );
  }

  function drawCompounds() {
    var select = byId("compound");
    Mapapp.dom.fill(
      select,
      el("option", { value: "" }, t("yard.nearest")),
      the.pack.compounds.map(function (one) {
        return el(
          "option",
          { value: one.compound_id, selected: one.compound_id === the.compound },
          (one.name || one.compound_id) + " · " + one.title
        );
      })
    );
  }

  function draw() {
    if (!the.pack) return;
    var list = places();
    if (
      the.chosen &&
      !list.some(function (place) {
        return place.node_id === the.chosen;
      })
    )
      the.chosen = null;
    drawPlaces(list);
    drawSketch(list);
    drawFix();
    drawNewer();
    drawSignal();
    byId("form").classList.toggle("idle", !the.chosen);
  }

  function choose(id) {
    the.chosen = id;
    the.mark = null;
    drawMarks();
    draw();
    Mapapp.dom.say(id);
  }

  /* -- keeping and sending -------------------------------------------------------------------------------------------- */

  function refresh() {
    return drafts.all().then(
      function (rows) {
        the.waiting = rows;
        draw();
      },
      function () {
        Mapapp.dom.toast(t("yard.storage"), "error");
      }
    );
  }

  function save(event) {
    event.preventDefault();
    if (!the.chosen) {
      Mapapp.dom.toast(t("yard.choose"));
      return;
    }
    if (!the.mark) {
      Mapapp.dom.toast(t("yard.choose_mark"));
      return;
    }
    var place = the.pack.places.filter(function (one) {
        return one.node_id === the.chosen;
      })[0],
      me = the.me;
    var for_ = the.compound || (place && place.wanted[0].compound_id) || null;
    drafts
      .put({
        visit_id: drafts.newId(),
        node_id: the.chosen,
        compound_id: for_,
        found: the.mark,
        visited_at: new Date().toISOString(),
        lon: me && Number(me.at[0].toFixed(7)),
        lat: me && Number(me.at[1].toFixed(7)),
        accuracy_m: me && Math.round(me.accuracy * 10) / 10,
        note: byId("note").value.trim(),
        photo: the.photo
      })
      .then(
        function () {
          the.mark = null;
          the.chosen = null;
          byId("note").value = "";
          photo(null);
          drawMarks();
          Mapapp.dom.toast(t("yard.saved"));
          return refresh().then(flush);
        },
        function () {
          Mapapp.dom.toast(t("yard.storage"), "error");
        }
      );
  }

  /** Send what waits, oldest first; one page at a time where the browser can tell. */
  function flush() {
    if (the.sending || !the.waiting.length || !the.pack || !the.pack.edits) return Promise.resolve();
    the.sending = true;
    var run = function () {
      return the.waiting.reduce(function (before, draft) {
        return before.then(function (go) {
          return go ? one(draft, false) : false;
        });
      }, Promise.resolve(true));
    };
    var done = function () {
      the.sending = false;
      return refresh();
    };
    return (
      navigator.locks
        ? navigator.locks.request("mapapp-yard-send", { ifAvailable: true }, function (lock) {
            return lock ? run() : null;
          })
        : run()
    ).then(done, done);
  }

  /* True when the next draft may be tried: this one is away, or is refused for a reason of its own. */
  function one(draft, again) {
    return drafts.send(draft, the.pack.csrf).then(function (answer) {
      var status = answer.status,
        body = answer.body;
      the.offline = status === 0;
      if (status === 200 || status === 201) {
        if (body.audit) the.pack.audit = body.audit;
        the.pack.places.forEach(function (place) {
          if (place.node_id === draft.node_id && body.found) {
            place.found = body.found;
            place.last = { found: body.found, visited_at: draft.visited_at };
          }
        });
        return drafts.remove(draft.visit_id).then(function () {
          Mapapp.dom.toast(
            t(body.counts === false ? "yard.sent_later" : "yard.sent", {
              id: draft.node_id || draft.compound_id,
              found: word(draft.found)
            })
          );
          return true;
        });
      }
      if (status === 401) {
        login();
        return false;
      }
      if (status === 403 && !again)
        return load().then(function () {
          return one(draft, true);
        }); // an old page's token
      if (status === 0 || status >= 500 || status === 409 || status === 429) return false;
      draft.fault = body.error || String(status);
      return drafts.put(draft).then(function () {
        return true;
      });
    });
  }

  function login() {
    Mapapp.dom.toast(t("yard.login"), "error");
    var toast = byId("toasts").lastChild;
    if (toast)
      toast.insertBefore(
        el("a", { "class": "button", href: "/login?next=/yard" }, t("yard.login_link")),
        toast.lastChild
      );
  }

  function audit_again() {
    ask("/api/yard/audit", {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": the.pack.csrf },
      body: "{}"
    }).then(
      function (job) {
        the.auditing = { progress: 0 };
        drawNewer();
        follow(job.job);
      },
      function (error) {
        Mapapp.dom.toast(error.message || t("yard.audit_failed"), "error");
      }
    );
  }

  function follow(id) {
    ask("/api/jobs/" + id).then(
      function (job) {
        the.auditing = job;
        if (job.state === "running" || job.state === "waiting") {
          drawNewer();
          window.setTimeout(function () {
            follow(id);
          }, 700);
          return;
        }
        the.auditing = null;
        Mapapp.dom.toast(
          t(job.state === "done" ? "yard.audited" : "yard.audit_failed"),
          job.state === "done" ? "" : "error"
        );
        load();
      },
      function () {
        the.auditing = null;
        drawNewer();
      }
    );
  }

  /* -- beginning ------------------------------------------------------------------------------------------------------ */

  function ask(path, options) {
    return window
      .fetch(path, Object.assign({ credentials: "same-origin", headers: { Accept: "application/json" } }, options))
      .then(function (response) {
        return response.json().then(function (body) {
          if (response.ok) return body;
          throw Object.assign(new Error(body.error || ""), { status: response.status });
        });
      });
  }

  function load() {
    return ask("/api/yard").then(
      function (pack) {
        the.pack = pack;
        drawCompounds();
        drawMarks();
        byId("save").disabled = !pack.edits;
        if (!pack.edits) byId("chosen").textContent = t("yard.viewer");
        draw();
      },
      function (error) {
        if (error.status === 401) login();
        else if (!the.pack)
          Mapapp.dom.fill(
            byId("places"),
            el("li", { "class": "notice error" }, error.status ? error.message : t("yard.no_pack"))
          );
      }
    );
  }

  function photo(file) {
    var image = byId("photo-small");
    the.photo = null;
    if (!file) byId("photo").value = "";
    image.hidden = true;
    byId("photo-name").textContent = t("yard.photo");
    if (!file) return Promise.resolve();
    return drafts.shrink(file, PHOTO_PX).then(
      function (blob) {
        the.photo = blob;
        image.src = URL.createObjectURL(blob);
        image.hidden = false;
        byId("photo-name").textContent = t("yard.photo_again");
      },
      function () {
        Mapapp.dom.toast(t("yard.photo_bad"), "error");
      }
    );
  }

  function locate() {
    if (!navigator.geolocation || !window.isSecureContext) {
      draw();
      return;
    }
    navigator.geolocation.watchPosition(
      function (fix) {
        the.me = { at: [fix.coords.longitude, fix.coords.latitude], accuracy: fix.coords.accuracy };
        draw();
      },
      function () {
        if (!the.me) {
          the.denied = true;
          draw();
        }
      },
      { enableHighAccuracy: true, maximumAge: 5000, timeout: 30000 }
    );
  }

  function tell(message) {
    return navigator.serviceWorker.ready.then(function (found) {
      return new Promise(function (resolve) {
        var channel = new MessageChannel();
        channel.port1.onmessage = resolve;
        found.active.postMessage(message, [channel.port2]);
      });
    });
  }

  /** Keep this page for when there is no signal; the page is marked when that is done. */
  function keep() {
    if (!("serviceWorker" in navigator)) return;
    var own = Array.prototype.map.call(
      document.querySelectorAll("script[src], link[rel=stylesheet], link[rel=icon]"),
      function (node) {
        return node.getAttribute("src") || node.getAttribute("href");
      }
    );
    navigator.serviceWorker
      .register(Mapapp.dom.block("config").worker, { scope: "/yard" })
      .then(function () {
        return tell({ keep: ["/yard", "/api/yard"].concat(own) });
      })
      .then(
        function () {
          document.body.setAttribute("data-kept", "yes");
        },
        function () {
          /* works as long as there is signal */
        }
      );
  }

  function forget() {
    if (!window.confirm(t("yard.forget_ask"))) return;
    drafts
      .clear()
      .then(function () {
        return "serviceWorker" in navigator ? tell({ forget: true }) : null;
      })
      .then(function () {
        Mapapp.dom.toast(t("yard.forgotten"));
        refresh();
      });
  }

  function start() {
    byId("form").addEventListener("submit", save);
    byId("compound").addEventListener("change", function (event) {
      the.compound = event.target.value;
      draw();
    });
    byId("photo").addEventListener("change", function (event) {
      photo(event.target.files[0]);
    });
    byId("signal").addEventListener("click", function () {
      byId("drafts").showModal();
    });
    byId("drafts-close").addEventListener("click", function () {
      byId("drafts").close();
    });
    byId("send").addEventListener("click", function () {
      load().then(flush);
    });
    byId("forget").addEventListener("click", forget);
    window.addEventListener("online", function () {
      the.offline = false;
      load().then(flush);
    });
    window.addEventListener("offline", function () {
      the.offline = true;
      draw();
    });
    window.addEventListener("resize", draw);
    window.setInterval(flush, EVERY_MS);
    load().then(refresh).then(flush).then(keep);
    locate();
  }

  Mapapp.yard = { offset: offset, away: away, bearing: bearing, state: the, flush: flush };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
