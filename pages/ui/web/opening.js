// Stands in the page itself, before every other script: it says how far the page's program has come, and goes when the
// page has drawn. Its syntax is of 2009, so that a browser that is too old for the rest can still say so.
(function () {
  var opening = document.getElementById("elbo-opening"),
    sizes = JSON.parse(opening.getAttribute("data-files")), // bytes on the line, by name
    total = 0,
    come = 0,
    name;
  for (name in sizes) total += sizes[name];

  /** @returns {any} */
  function part(which) {
    return opening.querySelector("[data-part=" + which + "]");
  }

  function say(text) {
    part("step").textContent = text;
  }

  /** The theme that was chosen here before; else the system's counts, by the styles. */
  function followTheme() {
    var key, text;
    try {
      for (key in localStorage) {
        if (key.indexOf("stActiveTheme-" + location.pathname + "-v") !== 0) continue;
        text = String(localStorage.getItem(key));
        if (text.indexOf("Dark") >= 0) opening.className = "dark";
        else if (text.indexOf("Light") >= 0) opening.className = "light";
      }
    } catch (nothingIsKept) {
      opening.className = "";
    }
  }

  /** What the code counts on, and no older browser has: README names the versions. */
  function knowsEverything() {
    return (
      !!Array.prototype["toReversed"] &&
      !!window.OffscreenCanvas &&
      !!window.ResizeObserver &&
      !!window.CSS &&
      CSS.supports("selector(:has(a))") &&
      CSS.supports("container-type: inline-size") &&
      CSS.supports("color: light-dark(#000, #fff)")
    );
  }

  function count(entries) {
    var i, file;
    for (i = 0; i < entries.length; i++) {
      file = entries[i].name.split("/").pop();
      come += sizes[file] || 0;
      delete sizes[file];
    }
    part("bar").value = come / total;
    say(
      come < total
        ? "The program: " + Math.round(come / 1000) + " of " + Math.round(total / 1000) + " kB"
        : "The page, from the server …"
    );
  }

  /** Whether something of the page, or of what keeps it from coming, can be seen. */
  function isDrawn() {
    /** @type {any} */
    var blocks = document.querySelectorAll("[data-testid=stMain] [data-testid=stElementContainer], [role=dialog]"),
      i;
    for (i = 0; i < blocks.length; i++) if (blocks[i].offsetHeight > 4) return true;
    return false;
  }

  function end() {
    if (opening.parentNode) opening.parentNode.removeChild(opening);
  }

  function watch() {
    part("bar").hidden = part("step").hidden = false;
    var drawn = new MutationObserver(function () {
      if (!isDrawn()) return;
      drawn.disconnect();
      end();
    });
    drawn.observe(document.body, { childList: true, subtree: true });
    new PerformanceObserver(function (list) {
      count(list.getEntries());
    }).observe({ type: "resource", buffered: true });
    window.addEventListener(
      "error",
      function (event) {
        if (event.target !== window) say("A part of the program did not come: reload the page.");
      },
      true // errors of what is fetched do not rise
    );
  }

  // Streamlit would look for its server below the page's own address first, and miss it there twice.
  window["__streamlit"] = { BACKEND_BASE_URL: new URL("./", document.baseURI).href };
  part("silent").hidden = true; // said to who runs no scripts
  followTheme();
  if (knowsEverything()) return watch();
  part("old").hidden = part("anyway").hidden = false;
  part("anyway").onclick = end;
})();
