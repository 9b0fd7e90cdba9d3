/* This script asks our own server, and turns every failure into a sentence with what to do. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var running = {};

  function base() {
    return (Mapapp.config && Mapapp.config.api) || "/api";
  }

  function Failure(message, status) {
    this.message = message;
    this.status = status;
  }

  function fail(response) {
    return response
      .json()
      .then(
        function (body) {
          var error = body && (body.error || body.message || body);
          return new Failure(
            typeof error === "string" ? error : (error && (error.message || error.saw)) || "",
            response.status
          );
        },
        function () {
          return new Failure("", response.status);
        }
      )
      .then(function (failure) {
        if (!failure.message)
          failure.message = Mapapp.t(
            response.status === 403 || response.status === 401
              ? "error.forbidden"
              : response.status === 404
                ? "error.missing"
                : response.status === 410
                  ? "error.gone"
                  : "error.server"
          );
        throw failure;
      });
  }

  function send(url, options) {
    return window.fetch(url, options).then(
      function (response) {
        return response.ok ? response.json() : fail(response);
      },
      function (error) {
        if (error && error.name === "AbortError") throw error;
        throw new Failure(Mapapp.t("error.offline"), 0);
      }
    );
  }

  /** GET; a newer request in the same lane stops the older one. */
  function get(path, lane) {
    var options = { credentials: "same-origin", headers: { Accept: "application/json" } };
    if (lane && window.AbortController) {
      if (running[lane]) running[lane].abort();
      running[lane] = new AbortController();
      options.signal = running[lane].signal;
    }
    return send(base() + path, options);
  }

  function token() {
    var node = document.querySelector("meta[name=csrf-token]");
    return node ? node.content : "";
  }

  function post(path, body, method) {
    return send(base() + path, {
      method: method || "POST",
      credentials: "same-origin",
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": token() },
      body: JSON.stringify(body)
    });
  }

  /** POST a file as the form field "file". */
  function upload(path, file) {
    var form = new FormData();
    form.append("file", file);
    return send(base() + path, {
      method: "POST",
      credentials: "same-origin",
      headers: { Accept: "application/json", "X-CSRF-Token": token() },
      body: form
    });
  }

  function aborted(error) {
    return Boolean(error && error.name === "AbortError");
  }

  Mapapp.api = { get: get, post: post, upload: upload, aborted: aborted, base: base };
})();
