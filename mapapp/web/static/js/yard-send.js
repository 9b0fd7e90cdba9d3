/* This script asks and tells the server: what there is to look for, the drafts that wait, an audit of what was found. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var el = Mapapp.dom.el,
    t = Mapapp.t,
    drafts = Mapapp.drafts,
    yard = Mapapp.yard,
    the = yard.state;
  var byId = function (id) {
    return document.getElementById(id);
  };

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
        yard.drawCompounds();
        yard.drawMarks();
        byId("save").disabled = !pack.edits;
        if (!pack.edits) byId("chosen").textContent = t("yard.viewer");
        yard.draw();
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

  function refresh() {
    return drafts.all().then(
      function (rows) {
        the.waiting = rows;
        yard.draw();
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
              found: yard.word(draft.found)
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

  function auditAgain() {
    ask("/api/yard/audit", {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": the.pack.csrf },
      body: "{}"
    }).then(
      function (job) {
        the.auditing = { progress: 0 };
        yard.drawNewer();
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
          yard.drawNewer();
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
        yard.drawNewer();
      }
    );
  }

  yard.load = load;
  yard.refresh = refresh;
  yard.flush = flush;
  yard.auditAgain = auditAgain;
})();
