// Beats four times a second, also while the page is in the background.
setInterval(() => postMessage(0), 250);
