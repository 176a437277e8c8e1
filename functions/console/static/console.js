// A run's page renews its state until the run is over; everything else works without a script.
const run = document.getElementById("run");

async function renew() {
  if (!run || run.querySelector("[data-over]")) return;
  try {
    const answer = await fetch(run.dataset.state, { credentials: "same-origin" });
    if (answer.ok) run.innerHTML = await answer.text();
  } catch {
    // The next try may find the network again.
  }
  setTimeout(renew, 700);
}

renew();
