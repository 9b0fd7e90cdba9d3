/* This script marks lines of a compound's records that were changed and not saved, and asks before they are lost. */
(function () {
  "use strict";

  function line(form) {
    return form.parentNode;
  }

  function start() {
    var open = [];
    Array.prototype.forEach.call(document.querySelectorAll("form[data-record]"), function (form) {
      form.addEventListener("input", function () {
        if (open.indexOf(form) < 0) open.push(form);
        line(form).classList.add("dirty");
      });
      form.addEventListener("submit", function () { open = open.filter(function (other) { return other !== form; }); });
    });
    window.addEventListener("beforeunload", function (event) {
      if (!open.length) return;
      event.preventDefault();
      event.returnValue = "";
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
