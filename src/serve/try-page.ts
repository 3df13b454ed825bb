/** A page to try the models with. It asks nothing of another host. */
export const TRY_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Operant</title>
<link rel="icon" href="data:,">
<style>body{font:16px system-ui;max-width:42rem;margin:2rem auto;padding:0 1rem}textarea{width:100%}pre{background:#8881;padding:1rem}</style>
<h1>Policies</h1>
<ul id="models"></ul>
<form>
  <p><label>Token, where the server wants one<br><input id="token" type="password" autocomplete="off"></label>
  <p><label>Request<br><textarea id="request" rows="4">{"observation": [0, 0, 0, 0]}</textarea></label>
  <p><button>Act</button>
</form>
<pre id="answer"></pre>
<script>
  const at = (id) => document.getElementById(id);
  const ask = (path, options = {}) =>
    fetch(path, { ...options, headers: { 'content-type': 'application/json', ...(at('token').value && { authorization: 'Bearer ' + at('token').value }) } });
  const list = async () => {
    const response = await ask('/models');
    if (!response.ok) return;
    at('models').replaceChildren(...(await response.json()).map(({ name, version, isDefault }) => {
      const item = document.createElement('li');
      item.textContent = name + ', version ' + version + (isDefault ? ' (default)' : '');
      return item;
    }));
  };
  document.querySelector('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const response = await ask('/act', { method: 'POST', body: at('request').value });
    at('answer').textContent = response.status + ' ' + JSON.stringify(await response.json(), null, 2);
    list();
  });
  list();
</script>
</html>
`;
