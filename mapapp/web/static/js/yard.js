/* This script is the yard page: where am I, which manholes are near and which way, what was found; kept first, sent later. */
(function () {
  "use strict";
  var Mapapp = (window.Mapapp = window.Mapapp || {});
  var t = Mapapp.t,
    drafts = Mapapp.drafts,
    yard = Mapapp.yard,
    the = yard.state;
  var EVERY_MS = 20000,
    PHOTO_PX = 1600;
  var byId = function (id) {
    return document.getElementById(id);
  };

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
          yard.drawMarks();
          Mapapp.dom.toast(t("yard.saved"));
          return yard.refresh().then(yard.flush);
        },
        function () {
          Mapapp.dom.toast(t("yard.storage"), "error");
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
      yard.draw();
      return;
    }
    navigator.geolocation.watchPosition(
      function (fix) {
        the.me = { at: [fix.coords.longitude, fix.coords.latitude], accuracy: fix.coords.accuracy };
        yard.draw();
      },
      function () {
        if (!the.me) {
          the.denied = true;
          yard.draw();
        }
      },
      { enableHighAccuracy: true, maximumAge: 5000, timeout: 30000 }
    );
  }

  function start() {
    byId("form").addEventListener("submit", save);
    byId("compound").addEventListener("change", function (event) {
      the.compound = event.target.value;
      yard.draw();
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
      yard.load().then(yard.flush);
    });
    byId("forget").addEventListener("click", yard.forget);
    window.addEventListener("online", function () {
      the.offline = false;
      yard.load().then(yard.flush);
    });
    window.addEventListener("offline", function () {
      the.offline = true;
      yard.draw();
    });
    window.addEventListener("resize", yard.draw);
    window.setInterval(yard.flush, EVERY_MS);
    yard.load().then(yard.refresh).then(yard.flush).then(yard.keep);
    locate();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
