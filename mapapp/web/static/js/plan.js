/* This script puts the plan page together: the last plan, the budget, a job that plans anew, the link that is looked at. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var t = Mapapp.t,
    el = Mapapp.dom.el;
  var POLL_MS = 400;
  var data = null,
    answer = null,
    state = { budget: null, pinned: {}, forbidden: {}, areas: [], drawn: [], footways: false, standard: "gb50014-2021", prices: "example", picked: null, all: false };

  function failed(error) {
    if (!Mapapp.api.aborted(error)) Mapapp.dom.toast(error.message, "error");
  }

  function keys(set) {
    return Object.keys(set).sort();
  }

  function setOf(list) {
    var out = {};
    (list || []).forEach(function (key) {
      out[key] = true;
    });
    return out;
  }

  // --------------------------------------------------------------------------------------------------------- address

  function address() {
    var found = new URLSearchParams(window.location.search);
    return { link: found.get("link"), budget: found.get("budget") };
  }

  function write(push) {
    var query = new URLSearchParams(window.location.search);
    var put = function (name, value) {
      if (value === null) query.delete(name);
      else query.set(name, value);
    };
    put("link", state.link || null);
    put("budget", state.touched ? (state.budget === null ? "all" : String(state.budget)) : null);
    var text = query.toString();
    window.history[push ? "pushState" : "replaceState"](null, "", window.location.pathname + (text ? "?" + text : ""));
  }

  // ------------------------------------------------------------------------------------------------------------ plan

  function load(fit) {
    return Promise.all([
      Mapapp.api.get("/plan?lang=" + Mapapp.lang, "plan"),
      Mapapp.api.get("/view?lang=" + Mapapp.lang, "view")
    ]).then(function (both) {
      data = both[0];
      var asked = data.asked || {};
      if (!state.touched) state.budget = asked.budget === undefined ? null : asked.budget;
      state.pinned = setOf(asked.pinned);
      state.forbidden = setOf(asked.forbidden);
      state.areas = asked.areas || [];
      state.drawn = asked.drawn || [];
      state.footways = Boolean(asked.footways);
      state.standard = asked.standards || state.standard;
      state.prices = asked.prices || state.prices;
      Mapapp.planPanel.draw(data, state);
      Mapapp.planMap.layers(both[1]);
      Mapapp.planDraw.show(state);
      if (data.planned && data.routes) {
        show(data);
        if (state.touched) restage();
      }
      if (fit) Mapapp.planMap.whole();
      if (data.job) follow(data.job);
    });
  }

  function show(found) {
    answer = found;
    Mapapp.planPanel.stages(answer, state);
    Mapapp.planMap.stages(answer, data.routes);
  }

  function restage() {
    var query = "?lang=" + Mapapp.lang + "&pinned=" + keys(state.pinned).map(encodeURIComponent).join(",");
    if (state.budget !== null) query += "&budget=" + state.budget;
    return Mapapp.api.get("/plan/stages" + query, "stages").then(show, failed);
  }

  function budget(value) {
    state.budget = value;
    state.touched = true;
    write(false);
    return restage();
  }

  function pin(route, on) {
    route.compounds.forEach(function (one) {
      if (on) state.pinned[one.id] = true;
      else delete state.pinned[one.id];
    });
    restage();
  }

  function keepStages() {
    var body = { pinned: keys(state.pinned), budget: state.budget === null ? "" : String(state.budget) };
    Mapapp.api.post("/plan/stages", body).then(function () {
      Mapapp.dom.toast(t("plan.kept"));
      state.touched = false;
      write(false);
      return load(false);
    }).then(null, failed);
  }

  // ------------------------------------------------------------------------------------------------------------- job

  function choices(drawn) {
    return {
      standard: state.standard,
      prices: state.prices,
      budget: state.budget === null ? "" : String(state.budget),
      pinned: keys(state.pinned),
      forbidden: keys(state.forbidden),
      areas: state.areas,
      drawn: drawn || state.drawn,
      footways: state.footways
    };
  }

  function run() {
    Mapapp.api.post("/plan", choices()).then(follow, failed);
  }

  // ------------------------------------------------------------------------------------------------------- by hand

  /** Draw a link on the map, have it checked, and offer it to the plan. */
  function drawLink() {
    pick(null);
    Mapapp.planDraw.draw("link", function (points) {
      Mapapp.planDraw.show(state, points);
      Mapapp.planCard.checking();
      Mapapp.api.post("/plan/drawn?lang=" + Mapapp.lang, choices([{ compound_id: "", line: points }])).then(
        function (found) {
          Mapapp.planCard.checked(found, function () {
            var name = found.links[0].compound_id;
            state.drawn = state.drawn
              .filter(function (one) {
                return one.compound_id !== name;
              })
              .concat([{ compound_id: name, line: points }]);
            changed();
            run();
          }, changed);
        },
        function (error) {
          changed();
          failed(error);
        }
      );
    });
  }

  function drawArea() {
    pick(null);
    Mapapp.planDraw.draw("area", function (points) {
      state.areas = state.areas.concat([points]);
      changed();
    });
  }

  /** Drawings changed: show them on the map and in the panel. */
  function changed() {
    Mapapp.planCard.close();
    Mapapp.planDraw.show(state);
    Mapapp.planPanel.drawings(data, state);
  }

  function removeDrawing(kind, index) {
    state[kind] = state[kind].filter(function (_, i) {
      return i !== index;
    });
    changed();
  }

  function ground(file) {
    var send = file
      ? Mapapp.api.upload("/plan/ground?lang=" + Mapapp.lang, file)
      : Mapapp.api.post("/plan/ground/remove", {});
    send.then(function (body) {
      data.ground = body.name;
      Mapapp.planPanel.drawings(data, state);
      if (body.name) Mapapp.dom.toast(t("plan.ground_kept", { name: body.name }));
    }, failed);
  }

  function busy(on) {
    ["plan-run", "plan-run-again", "plan-keep"].forEach(function (id) {
      var node = document.getElementById(id);
      if (node) node.disabled = on;
    });
  }

  function follow(job) {
    var root = document.getElementById("plan-job");
    var bar = el("progress", { max: 1, "aria-label": t("plan.run") }),
      words = el("span", {}),
      stop = el("button", { type: "button", "class": "button", id: "plan-cancel", on: { click: cancel } }, t("plan.cancel"));
    root.hidden = false;
    busy(true);
    Mapapp.dom.fill(root, bar, el("div", { "class": "row" }, words, data && data.edits === false ? null : stop));

    function cancel() {
      stop.disabled = true;
      stop.textContent = t("plan.cancelling");
      Mapapp.api.post("/plan/jobs/" + job.id + "/cancel", {}).then(null, failed);
    }
    function look(now) {
      bar.value = now.progress || 0;
      words.textContent = now.message || "";
      if (now.state === "running" || now.state === "waiting") {
        window.setTimeout(ask, POLL_MS);
        return;
      }
      root.hidden = true;
      busy(false);
      if (now.state === "done") {
        state.touched = false;
        state.link = null;
        pick(null);
        load(true).then(function () {
          Mapapp.dom.toast(t("plan.done"));
          Mapapp.dom.say(t("plan.done"));
        }, failed);
      } else if (now.state === "cancelled") Mapapp.dom.toast(t("plan.cancelled"));
      else Mapapp.dom.toast(t("plan.failed", { why: now.message }), "error");
    }
    function ask() {
      Mapapp.api.get("/plan/jobs/" + job.id + "?lang=" + Mapapp.lang).then(look, function (error) {
        words.textContent = error.message;
        window.setTimeout(ask, 5 * POLL_MS);
      });
    }
    look(job);
  }

  // ------------------------------------------------------------------------------------------------------------ link

  function pick(linkId, quiet) {
    state.link = linkId;
    if (!quiet) write(true);
    return Mapapp.planCard.open(linkId).then(
      function (found) {
        state.picked = found ? found.route.route_id : null;
        Mapapp.planMap.show(found);
        if (answer && data.routes) Mapapp.planPanel.stages(answer, state);
        if (found) document.getElementById("plan-card").focus({ preventScroll: window.innerWidth >= 900 });
      },
      function (error) {
        if (Mapapp.api.aborted(error)) return;
        failed(error);
        state.link = null;
        write(false);
      }
    );
  }

  function pickCompound(id) {
    var hit = ((data && data.routes) || []).filter(function (route) {
      return route.compounds.some(function (one) {
        return one.id === id;
      });
    })[0];
    if (hit) pick(hit.link_id);
  }

  function projectChanged(routeId, project) {
    data.routes.forEach(function (route) {
      if (route.route_id === routeId) route.project = project;
    });
    Mapapp.planPanel.stages(answer, state);
  }

  function upload(kind, file) {
    Mapapp.api.upload("/plan/books/" + kind + "?lang=" + Mapapp.lang, file).then(function (body) {
      data.books[kind] = body.books;
      state[kind === "standards" ? "standard" : "prices"] = body.name;
      Mapapp.planPanel.draw(data, state);
      if (data.planned && answer) Mapapp.planPanel.stages(answer, state);
      document.getElementById("plan-choices").open = true;
      Mapapp.dom.toast(t("plan.uploaded", { name: body.name }));
    }).then(null, failed);
  }

  function start() {
    Mapapp.config = Mapapp.dom.block("config") || {};
    var at = address();
    if (at.budget !== null && (at.budget === "all" || Number(at.budget) >= 0)) {
      state.budget = at.budget === "all" ? null : Number(at.budget);
      state.touched = true;
    }
    Mapapp.planMap.start();
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && state.link) pick(null);
    });
    window.addEventListener("popstate", function () {
      pick(address().link, true);
    });
    load(true).then(
      function () {
        if (at.link && data.planned) return pick(at.link, true);
      },
      function (error) {
        Mapapp.dom.fill(
          document.getElementById("plan-body"),
          el("p", { "class": "notice error", role: "alert" }, error.message)
        );
      }
    );
  }

  Mapapp.plan = {
    budget: budget,
    pin: pin,
    keepStages: keepStages,
    run: run,
    pick: pick,
    pickCompound: pickCompound,
    projectChanged: projectChanged,
    upload: upload,
    drawLink: drawLink,
    drawArea: drawArea,
    removeDrawing: removeDrawing,
    ground: ground,
    data: function () {
      return data;
    },
    state: function () {
      return state;
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
