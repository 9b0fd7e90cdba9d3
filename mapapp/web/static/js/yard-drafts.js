/* This script keeps drafts on the phone until the server has them: IndexedDB, photos included, one id per draft. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var NAME = "mapapp-yard",
    STORE = "drafts";

  function open() {
    return new Promise(function (resolve, reject) {
      if (!window.indexedDB) {
        reject(new Error("no storage"));
        return;
      }
      var asked = window.indexedDB.open(NAME, 1);
      asked.onupgradeneeded = function () {
        asked.result.createObjectStore(STORE, { keyPath: "visit_id" });
      };
      asked.onsuccess = function () {
        resolve(asked.result);
      };
      asked.onerror = function () {
        reject(asked.error);
      };
    });
  }

  /* Resolves once the transaction is complete: only then is a draft really kept. */
  function within(mode, work) {
    return open().then(function (db) {
      return new Promise(function (resolve, reject) {
        var deal = db.transaction(STORE, mode),
          asked = work(deal.objectStore(STORE));
        deal.oncomplete = function () {
          db.close();
          resolve(asked && asked.result);
        };
        deal.onabort = deal.onerror = function () {
          db.close();
          reject(deal.error);
        };
      });
    });
  }

  function put(draft) {
    return within("readwrite", function (store) {
      return store.put(draft);
    });
  }
  function remove(id) {
    return within("readwrite", function (store) {
      return store.delete(id);
    });
  }
  function clear() {
    return within("readwrite", function (store) {
      return store.clear();
    });
  }
  function all() {
    return within("readonly", function (store) {
      return store.getAll();
    }).then(function (rows) {
      return (rows || []).sort(function (a, b) {
        return a.visited_at < b.visited_at ? -1 : 1;
      });
    });
  }

  /** An id that no other phone makes; crypto.randomUUID needs https, getRandomValues does not. */
  function newId() {
    var bytes = window.crypto.getRandomValues(new Uint8Array(16));
    return (
      "v-" +
      Array.prototype.map
        .call(bytes, function (b) {
          return (b + 256).toString(16).slice(1);
        })
        .join("")
    );
  }

  /** A photo made small, as JPEG without EXIF: drawing it leaves place and camera behind. */
  function shrink(file, longest) {
    return window.createImageBitmap(file, { imageOrientation: "from-image" }).then(function (image) {
      var scale = Math.min(1, longest / Math.max(image.width, image.height));
      var canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(image.width * scale));
      canvas.height = Math.max(1, Math.round(image.height * scale));
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      return new Promise(function (resolve, reject) {
        canvas.toBlob(
          function (blob) {
            if (blob) resolve(blob);
            else reject(new Error("no image"));
          },
          "image/jpeg",
          0.82
        );
      });
    });
  }

  function form(draft) {
    var body = new FormData();
    ["visit_id", "node_id", "compound_id", "found", "lon", "lat", "accuracy_m", "visited_at", "note"].forEach(
      function (name) {
        if (draft[name] !== null && draft[name] !== undefined && draft[name] !== "")
          body.append(name, String(draft[name]));
      }
    );
    if (draft.photo) body.append("photo", draft.photo, "photo.jpg");
    return body;
  }

  /** Send one draft: resolves to {status, body}; status 0 when there was no signal. Nothing is deleted here. */
  function send(draft, token) {
    return window
      .fetch("/api/yard/visits", {
        method: "POST",
        credentials: "same-origin",
        body: form(draft),
        headers: { Accept: "application/json", "X-CSRF-Token": token || "" }
      })
      .then(
        function (response) {
          return response.json().then(
            function (body) {
              return { status: response.status, body: body };
            },
            function () {
              return { status: response.status, body: {} };
            }
          );
        },
        function () {
          return { status: 0, body: {} };
        }
      );
  }

  Mapapp.drafts = { put: put, remove: remove, clear: clear, all: all, newId: newId, shrink: shrink, send: send };
})();
