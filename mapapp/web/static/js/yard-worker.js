/* This service worker lets the yard page open without signal: the network first, and what was kept when there is none.
   It keeps the page, its own scripts and styles, and the list of manholes; nothing that is sent, and nothing else. */
"use strict";
var CACHE = "mapapp-yard-1";
var PATIENCE = 6000; // in a yard a bad signal is worse than none

self.addEventListener("install", function () {
  self.skipWaiting();
});

self.addEventListener("activate", function (event) {
  event.waitUntil(
    caches
      .keys()
      .then(function (names) {
        return Promise.all(
          names
            .filter(function (name) {
              return name.indexOf("mapapp-yard-") === 0 && name !== CACHE;
            })
            .map(function (name) {
              return caches.delete(name);
            })
        );
      })
      .then(function () {
        return self.clients.claim();
      })
  );
});

self.addEventListener("message", function (event) {
  var told = event.data || {},
    answer = event.ports[0];
  var done = told.forget ? caches.delete(CACHE) : keepAll(told.keep || []);
  event.waitUntil(
    done.then(
      function () {
        if (answer) answer.postMessage("done");
      },
      function () {
        if (answer) answer.postMessage("failed");
      }
    )
  );
});

/* The page names what it needs, so that no list of files has to be kept here. */
function keepAll(paths) {
  return Promise.all(
    paths.map(function (path) {
      return fetch(path, { credentials: "same-origin", redirect: "manual" }).then(function (response) {
        return keep(path, response);
      });
    })
  );
}

function keep(key, response) {
  if (!response.ok || response.type !== "basic") return response;
  var copy = response.clone();
  return caches
    .open(CACHE)
    .then(function (cache) {
      return cache.put(key, copy);
    })
    .then(function () {
      return response;
    });
}

self.addEventListener("fetch", function (event) {
  var request = event.request,
    url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  var page = request.mode === "navigate" && url.pathname === "/yard";
  var key = url.pathname === "/yard" || url.pathname === "/api/yard" ? url.pathname : url.pathname + url.search;
  if (!page && url.pathname !== "/api/yard" && url.pathname.indexOf("/static/") !== 0) return;
  event.respondWith(networkFirst(request, key, page));
});

function networkFirst(request, key, page) {
  var kept = function () {
    return caches.match(key);
  };
  var live = fetch(request).then(function (response) {
    // logged out: what was kept belonged to somebody who may have left
    if ((page && (response.type === "opaqueredirect" || response.redirected)) || response.status === 401)
      return caches.delete(CACHE).then(function () {
        return response;
      });
    return keep(key, response);
  });
  var waited = new Promise(function (resolve) {
    setTimeout(resolve, PATIENCE);
  }).then(kept);
  var failing = live.catch(function (error) {
    return kept().then(function (found) {
      if (found) return found;
      throw error;
    });
  });
  return Promise.race([
    failing,
    waited.then(function (found) {
      return found || failing;
    })
  ]);
}
