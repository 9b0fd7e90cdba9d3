/* This script spares one press when another state is chosen, and prints; the page works without it. */
(function () {
  "use strict";
  var form = document.getElementById("state-form"), print = document.getElementById("print");
  if (form) {
    form.querySelector("select").addEventListener("change", function () { form.submit(); });
    form.querySelector("button[type=submit]").hidden = true;
  }
  if (print) {
    print.hidden = false;
    print.addEventListener("click", function () { window.print(); });
  }
})();
