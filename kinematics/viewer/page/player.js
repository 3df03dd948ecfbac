// Plays the figures of an exported page. Everything it shows comes from two elements: #glb (the bodies and how they move)
// and #meta (titles, grid, ways, stances; see export.py). Loads nothing else.
"use strict";
(() => {
  const T = THREE, find = (id) => document.getElementById(id);
  const meta = JSON.parse(find("meta").textContent);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => new T.Color(style.getPropertyValue(`--${name}`).trim());
  const size = meta.height, frameTime = meta.clips[0].frameTime;
  const duration = Math.max(...meta.clips.map((clip) => (clip.frames - 1) * clip.frameTime));
  const frames = Math.round(duration / frameTime) + 1;
  const shown = { body: true, skeleton: false, contacts: true, trail: true, names: false, follow: true, loop: true };
  const state = { time: 0, playing: false, speed: 1, changed: true, picked: null, hovered: null };
  const FADE_S = 3; // a mark of a stance shrinks away within so many seconds before and after
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const here = new T.Vector3(), there = new T.Vector3(), along = new T.Vector3();

  // Stage: light, ground, camera.
  const scene = new T.Scene(), camera = new T.PerspectiveCamera(32, 1, size / 100, size * 400);
  const renderer = new T.WebGLRenderer({ canvas: find("stage"), antialias: true, alpha: true });
  renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = T.PCFShadowMap;
  const controls = new T.OrbitControls(camera, renderer.domElement);
  controls.maxPolarAngle = Math.PI * 0.52;
  controls.minDistance = size * 0.3;
  controls.maxDistance = size * 150;
  controls.addEventListener("change", () => { state.changed = true; });
  const light = new T.DirectionalLight(0xffffff, 2.3);
  light.castShadow = true;
  light.shadow.mapSize.set(2048, 2048);
  light.shadow.radius = 3;
  light.shadow.normalBias = 0.004 * size;
  scene.add(new T.HemisphereLight(0xffffff, 0xa4aab2, 2), light, light.target);

  const floor = new T.PlaneGeometry(1, 1).rotateX(-Math.PI / 2);
  const shade = new T.Mesh(floor, new T.ShadowMaterial({ opacity: Number(style.getPropertyValue("--shadow")), depthWrite: false }));
  shade.receiveShadow = true;
  const grid = new T.Mesh(floor, new T.ShaderMaterial({
    transparent: true, depthWrite: false, side: T.DoubleSide,
    uniforms: { step: { value: meta.step }, fade: { value: 1 }, focus: { value: new T.Vector3() }, tint: { value: colour("line") } },
    vertexShader: `varying vec3 at; void main() {
      vec4 world = modelMatrix * vec4(position, 1.0); at = world.xyz; gl_Position = projectionMatrix * viewMatrix * world; }`,
    fragmentShader: `varying vec3 at; uniform float step, fade; uniform vec3 focus, tint;
      float lines(vec2 where, float width) {
        vec2 slope = max(fwidth(where), 1e-6), off = abs(fract(where - 0.5) - 0.5);
        vec2 seen = clamp(width * 0.5 + 0.5 - off / slope, 0.0, 1.0) * clamp(1.4 - 2.8 * slope, 0.0, 1.0);
        return max(seen.x, seen.y); }
      void main() {
        float strength = max(0.55 * lines(at.xz / step, 1.4), 0.22 * lines(at.xz / step * 4.0, 1.0));
        float away = length(at.xz - focus.xz) / fade;
        gl_FragColor = vec4(tint, strength * (1.0 - smoothstep(0.3, 1.0, away)));
        #include <colorspace_fragment>
      }`,
  }));
  shade.renderOrder = -2;
  grid.renderOrder = -3;
  scene.add(grid, shade);

  // Figures.
  const clips = meta.clips.map((clip) => ({ ...clip, nodes: [], bones: [] }));
  let mixer = null, action = null;

  const flat = (geometry, name, opacity, order) => {
    const look = { color: colour(name), transparent: true, opacity, depthWrite: false, side: T.DoubleSide };
    const mesh = new T.Mesh(geometry, new T.MeshBasicMaterial(look));
    mesh.renderOrder = order;
    return mesh;
  };

  function ribbon(points, width) { // a path on the floor, as a strip of triangles
    const places = [], faces = [];
    points.forEach(([x, z], index) => {
      const [x0, z0] = points[Math.max(index - 1, 0)], [x1, z1] = points[Math.min(index + 1, points.length - 1)];
      const length = Math.hypot(x1 - x0, z1 - z0) || 1, side = [(-(z1 - z0) / length) * width, ((x1 - x0) / length) * width];
      places.push(x + side[0], 0, z + side[1], x - side[0], 0, z - side[1]);
      if (index) faces.push(2 * index - 2, 2 * index - 1, 2 * index, 2 * index - 1, 2 * index + 1, 2 * index);
    });
    const geometry = new T.BufferGeometry().setIndex(faces);
    geometry.setAttribute("position", new T.BufferAttribute(new Float32Array(places), 3));
    return geometry;
  }

  function label(text, small) {
    const span = document.createElement("span");
    span.textContent = text;
    span.className = small ? "small" : "";
    span.hidden = true;
    find("labels").append(span);
    return span;
  }

  function place(span, point, visible, lift = 0) {
    here.copy(point).project(camera);
    span.hidden = !visible || here.z > 1;
    if (span.hidden) return;
    const x = (here.x + 1) * 0.5 * innerWidth, y = (1 - here.y) * 0.5 * innerHeight - lift;
    span.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translate(-50%, -100%)`;
  }

  function addClip(clip, objects, index) {
    clip.nodes = objects.slice(clip.node + 1, clip.node + 1 + clip.joints + clip.ends);
    clip.bones = clip.nodes.map((node, child) => [clip.nodes.indexOf(node.parent), child]).filter(([parent]) => parent >= 0);
    clip.body = objects[clip.node + 1 + clip.joints + clip.ends] ?? null;
    const meshes = [];
    if (clip.meshes) clip.body.traverse((part) => { if (part.isSkinnedMesh) meshes.push(part); });
    clip.meshes = meshes;
    clip.tint = meta.overlaid && index ? new T.Color().setHSL((0.45 + 0.31 * index) % 1, 0.6, 0.5) : null;
    for (const part of meshes) {
      part.castShadow = part.receiveShadow = true;
      part.frustumCulled = false;
      part.material = part.material.clone();
      if (clip.tint) part.material.color.lerp(clip.tint, 0.6);
      // A translucent body shows its outside alone: this hides what is behind it.
      part.mask = part.clone();
      part.mask.material = new T.MeshBasicMaterial({ colorWrite: false, polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 4 });
      part.mask.castShadow = false;
      part.parent.add(part.mask);
    }
    const drawn = new T.OctahedronGeometry(1).translate(0, 1, 0).scale(1, 0.5, 1), at = drawn.attributes.position;
    for (let corner = 0; corner < at.count; corner++) if (Math.abs(at.getY(corner) - 0.5) < 0.1) at.setY(corner, 0.18);
    const look = { color: colour("bone"), transparent: true, opacity: 0.85, depthTest: false };
    clip.sticks = new T.InstancedMesh(drawn, new T.MeshBasicMaterial(look), Math.max(clip.bones.length, 1));
    clip.knobs = new T.InstancedMesh(new T.SphereGeometry(1, 12, 8), new T.MeshBasicMaterial({ ...look, color: colour("accent"), opacity: 1 }), clip.joints);
    clip.trail2d = flat(ribbon(clip.trail, 0.006 * size), "accent", 0.5, -1);
    const disc = new T.CircleGeometry(0.02 * size, 24).rotateX(-Math.PI / 2);
    clip.marks = new T.InstancedMesh(disc, new T.MeshBasicMaterial({ transparent: true, opacity: 0.6, depthWrite: false }), Math.max(clip.stances.length, 1));
    clip.marks.renderOrder = -1;
    clip.trail2d.position.y = 0.002 * size;
    for (const thing of [clip.sticks, clip.knobs, clip.marks, clip.trail2d]) { thing.frustumCulled = false; scene.add(thing); }
    clip.sticks.renderOrder = 2;
    clip.knobs.renderOrder = 3;
    clip.label = label(clip.title, false);
    clip.names = null;
    const line = document.createElement("div");
    line.textContent = clips.length > 1 ? `${clip.title}: ${clip.detail}` : clip.detail;
    if (clip.tint) line.style.color = `#${clip.tint.getHexString()}`;
    find("clips").append(line);
  }

  function drawSkeleton(clip) {
    const matrix = new T.Matrix4(), turn = new T.Quaternion(), up = new T.Vector3(0, 1, 0), scale = new T.Vector3();
    const spots = clip.nodes.map((node) => new T.Vector3().setFromMatrixPosition(node.matrixWorld));
    clip.bones.forEach(([parent, child], bone) => {
      along.subVectors(spots[child], spots[parent]);
      const length = along.length();
      turn.setFromUnitVectors(up, length > 0 ? along.divideScalar(length) : up);
      const width = Math.min(0.016 * size, 0.12 * length);
      clip.sticks.setMatrixAt(bone, matrix.compose(spots[parent], turn, scale.set(width, length, width)));
    });
    clip.sticks.count = clip.bones.length;
    const room = spots.map(() => Infinity); // to the nearest neighbour
    for (const [parent, child] of clip.bones) {
      const length = spots[parent].distanceTo(spots[child]) || Infinity;
      room[parent] = Math.min(room[parent], length);
      room[child] = Math.min(room[child], length);
    }
    for (let joint = 0; joint < clip.joints; joint++) {
      const thick = Math.min(0.007 * size, 0.13 * room[joint]);
      clip.knobs.setMatrixAt(joint, matrix.makeScale(thick, thick, thick).setPosition(spots[joint]));
    }
    clip.sticks.instanceMatrix.needsUpdate = clip.knobs.instanceMatrix.needsUpdate = true;
  }

  function drawMarks(clip) {
    const active = colour("touch"), rest = colour("line"), matrix = new T.Matrix4();
    clip.marks.count = clip.stances.length;
    clip.stances.forEach(([start, end, x, z], mark) => {
      const away = Math.max(start - state.time, state.time - end) - 1e-6; // seconds
      const large = clamp(1 - away / FADE_S, 1e-6, 1);
      clip.marks.setColorAt(mark, away <= 0 ? active : rest);
      clip.marks.setMatrixAt(mark, matrix.makeScale(large, 1, large).setPosition(x, 0.003 * size, z));
    });
    clip.marks.instanceMatrix.needsUpdate = true;
    if (clip.marks.instanceColor) clip.marks.instanceColor.needsUpdate = true;
  }

  // Where the camera looks: the mean of all figures' smoothed ways.
  function placeOf(clip, time) {
    const last = clip.focus.length - 1, span = (clip.frames - 1) * clip.frameTime;
    const spot = span > 0 ? clamp(time / span, 0, 1) * last : 0, low = Math.floor(spot), high = Math.min(low + 1, last);
    return new T.Vector3(...clip.focus[low]).lerp(along.fromArray(clip.focus[high]), spot - low);
  }
  const focusAt = (time) => clips.reduce((sum, clip) => sum.addScaledVector(placeOf(clip, time), 1 / clips.length), new T.Vector3());
  function radiusAt(time) { // how far the figures reach from there
    const middle = focusAt(time);
    return size + 0.9 * Math.max(...clips.map((clip) => placeOf(clip, time).distanceTo(middle)));
  }

  const focus = new T.Vector3();
  let radius = size;

  function resetView() {
    focus.copy(focusAt(state.time));
    radius = radiusAt(state.time);
    const rise = 0.2, half = Math.tan((camera.fov * Math.PI) / 360), depth = radius - size;
    const distance = depth * Math.abs(Math.sin(meta.azimuth)) + Math.max((0.8 * size) / half, radius / (half * camera.aspect));
    const angle = meta.azimuth;
    controls.target.copy(focus);
    camera.position.set(Math.sin(angle) * Math.cos(rise), Math.sin(rise), Math.cos(angle) * Math.cos(rise)).multiplyScalar(distance).add(focus);
    controls.update();
    state.changed = true;
  }

  function follow() {
    const moved = focusAt(state.time), reach = radiusAt(state.time);
    if (shown.follow) { // go along, and away as figures part
      along.subVectors(camera.position, controls.target).multiplyScalar(reach / radius);
      controls.target.add(moved).sub(focus);
      camera.position.addVectors(controls.target, along);
      controls.update();
    }
    focus.copy(moved);
    radius = reach;
  }

  // Time.
  function pose(time) {
    state.time = clamp(time, 0, duration);
    if (action) { action.time = state.time; mixer.update(0); }
    scene.updateMatrixWorld();
    follow();
    state.changed = true;
  }
  const frameNow = () => Math.round(state.time / frameTime);
  const setFrame = (frame) => { setPlaying(false); pose(clamp(Math.round(frame), 0, frames - 1) * frameTime); };
  function setPlaying(playing) {
    state.playing = playing && duration > 0;
    if (state.playing && state.time >= duration - 1e-9) pose(0);
    find("play").querySelector("path").setAttribute("d", state.playing ? "M4 2h3v12H4zM9 2h3v12H9z" : "M4 2v12l9-6z");
    find("play").setAttribute("aria-label", state.playing ? "pause" : "play");
  }
  function toggle() {
    if (state.playing) setFrame(frameNow());
    else setPlaying(true);
  }

  function show(layer, on) {
    shown[layer] = on;
    find(`layer-${layer}`).setAttribute("aria-pressed", on);
    for (const clip of clips) {
      clip.sticks.visible = clip.knobs.visible = shown.skeleton;
      clip.trail2d.visible = shown.trail;
      clip.marks.visible = shown.contacts;
      for (const part of clip.meshes) {
        part.visible = shown.body;
        part.mask.visible = shown.body && shown.skeleton;
        part.material.transparent = shown.skeleton;
        part.material.opacity = shown.skeleton ? 0.4 : 1;
        part.material.needsUpdate = true;
      }
    }
    state.changed = true;
  }

  // Joints under the pointer.
  function nearest(event) {
    let best = null, least = 18;
    for (const clip of clips) clip.nodes.slice(0, clip.joints).forEach((node, joint) => {
      here.setFromMatrixPosition(node.matrixWorld).project(camera);
      const away = Math.hypot((here.x + 1) * 0.5 * innerWidth - event.clientX, (1 - here.y) * 0.5 * innerHeight - event.clientY);
      if (here.z < 1 && away < least) { least = away; best = { clip, joint, node }; }
    });
    return best;
  }
  const nameOf = ({ node }) => node.userData.name ?? node.name;

  function drawText() {
    const now = frameNow();
    find("scrub").value = state.time / frameTime;
    const texts = [`frame ${now}`, ` of ${frames - 1}`, `${state.time.toFixed(2)} s`, ` of ${duration.toFixed(2)} s`];
    find("time").replaceChildren(...texts.map((text, index) => Object.assign(document.createElement(index % 2 ? "i" : "span"), { textContent: text })));
    for (const clip of clips) {
      const top = clip.nodes.reduce((best, node) => Math.max(best, node.matrixWorld.elements[13]), -Infinity);
      const root = there.setFromMatrixPosition(clip.nodes[clip.root].matrixWorld);
      place(clip.label, along.set(root.x, top + 0.06 * size, root.z), clips.length > 1 && !meta.overlaid);
      if (shown.names) clip.names ??= clip.nodes.slice(0, clip.joints).map((node) => label(nameOf({ node }), true));
      const taken = [];
      clip.names?.forEach((span, joint) => {
        there.setFromMatrixPosition(clip.nodes[joint].matrixWorld).project(camera);
        const spot = [there.x * innerWidth, there.y * innerHeight]; // twice the pixels
        const free = shown.names && !taken.some(([x, y]) => Math.abs(x - spot[0]) < 120 && Math.abs(y - spot[1]) < 30);
        if (free) taken.push(spot);
        place(span, there.setFromMatrixPosition(clip.nodes[joint].matrixWorld), free, 3);
      });
    }
    if (state.hovered) place(hover, there.setFromMatrixPosition(state.hovered.node.matrixWorld), true, 6);
    else hover.hidden = true;
    find("joint").hidden = !state.picked;
    if (state.picked) {
      there.setFromMatrixPosition(state.picked.node.matrixWorld);
      find("joint").querySelector("b").textContent = nameOf(state.picked);
      const rows = ["x", "y", "z"].map((axis) => [axis, `${(there[axis] / meta.unitSize).toFixed(3)} ${meta.unit}`]);
      find("joint").querySelector("table").replaceChildren(...rows.map((cells) => {
        const row = document.createElement("tr");
        row.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
        return row;
      }));
    }
  }
  const hover = label("", true);

  function draw() {
    const reach = Math.max(camera.position.distanceTo(controls.target) * 1.6, 5 * size);
    grid.scale.setScalar(2 * reach);
    shade.scale.setScalar(2 * reach);
    grid.position.set(focus.x, 0, focus.z);
    shade.position.set(focus.x, 0.001 * size, focus.z);
    grid.material.uniforms.fade.value = reach;
    grid.material.uniforms.focus.value.copy(focus);
    const wide = Math.ceil((radius + 0.6 * size) / size) * size, shadow = light.shadow.camera;
    if (shadow.right !== wide) {
      Object.assign(shadow, { left: -wide, right: wide, top: wide, bottom: -wide, near: 0.1 * size, far: 4 * wide + 8 * size });
      shadow.updateProjectionMatrix();
    }
    light.target.position.set(focus.x, 0, focus.z);
    light.position.set(Math.sin(meta.azimuth - 0.75), 1.5, Math.cos(meta.azimuth - 0.75)).multiplyScalar(wide + 3 * size).add(light.target.position);
    light.target.updateMatrixWorld();
    for (const clip of clips) {
      if (shown.skeleton) drawSkeleton(clip);
      if (shown.contacts) drawMarks(clip);
    }
    renderer.render(scene, camera);
    drawText();
  }

  let before = 0;
  function tick(now) {
    const passed = Math.min((now - before) / 1000, 0.25);
    before = now;
    if (state.playing) {
      let time = state.time + passed * state.speed;
      if (time >= duration) {
        if (shown.loop) time %= duration;
        else { setPlaying(false); time = duration; }
      }
      pose(time);
    }
    if (state.changed) { state.changed = false; draw(); }
    requestAnimationFrame(tick);
  }

  function resize() {
    renderer.setSize(innerWidth, innerHeight, false);
    camera.aspect = innerWidth / innerHeight;
    camera.setViewOffset(innerWidth, innerHeight, 0, 34, innerWidth, innerHeight); // the bar at the bottom covers that much
    camera.updateProjectionMatrix();
    state.changed = true;
  }

  function listen() {
    const layers = { body: "b", skeleton: "s", contacts: "c", trail: "t", names: "n", follow: "f", loop: "l" };
    for (const [layer, key] of Object.entries(layers)) {
      const button = Object.assign(document.createElement("button"), { id: `layer-${layer}`, textContent: layer, title: `${layer} (${key.toUpperCase()})` });
      button.onclick = () => show(layer, !shown[layer]);
      find("layers").append(button);
      show(layer, shown[layer]);
    }
    const steps = { first: () => 0, back: () => frameNow() - 1, next: () => frameNow() + 1, last: () => frames - 1 };
    for (const [name, frame] of Object.entries(steps)) find(name).onclick = () => setFrame(frame());
    find("play").onclick = toggle;
    find("scrub").max = frames - 1;
    find("scrub").oninput = (event) => setFrame(Number(event.target.value));
    find("speed").onchange = (event) => { state.speed = Number(event.target.value); event.target.blur(); };
    find("keys").onclick = () => { find("help").hidden = !find("help").hidden; find("keys").setAttribute("aria-pressed", !find("help").hidden); };
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
      const stride = event.shiftKey ? 10 : 1, letter = event.key.toLowerCase();
      const actions = {
        " ": toggle, arrowleft: () => setFrame(frameNow() - stride), arrowright: () => setFrame(frameNow() + stride),
        home: () => setFrame(0), end: () => setFrame(frames - 1), r: resetView, "?": () => find("keys").click(),
        escape: () => { state.picked = null; state.changed = true; },
      };
      for (const [layer, key] of Object.entries(layers)) actions[key] = () => show(layer, !shown[layer]);
      if (actions[letter]) { event.preventDefault(); actions[letter](); }
    });
    const canvas = renderer.domElement;
    let pressed = null;
    canvas.addEventListener("pointerdown", (event) => { pressed = [event.clientX, event.clientY]; });
    canvas.addEventListener("pointerup", (event) => {
      if (pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < 4) state.picked = nearest(event);
      pressed = null;
      state.changed = true;
    });
    canvas.addEventListener("pointermove", (event) => {
      const found = event.buttons ? null : nearest(event);
      if (found?.node === state.hovered?.node) return;
      state.hovered = found;
      if (found) hover.textContent = nameOf(found);
      state.changed = true;
    });
    addEventListener("resize", resize);
  }

  async function start() {
    const bytes = Uint8Array.from(atob(find("glb").textContent.trim()), (letter) => letter.charCodeAt(0));
    const gltf = await new T.GLTFLoader().parseAsync(bytes.buffer, "");
    const objects = [];
    for (const [object, where] of gltf.parser.associations) if (where.nodes !== undefined) objects[where.nodes] = object;
    scene.add(gltf.scene);
    clips.forEach((clip, index) => addClip(clip, objects, index));
    if (gltf.animations.length) {
      mixer = new T.AnimationMixer(gltf.scene);
      action = mixer.clipAction(gltf.animations[0]).play();
    }
    find("scale").textContent = meta.scale;
    resize();
    listen();
    resetView();
    pose(0);
    find("message").remove();
    requestAnimationFrame((now) => { before = now; setPlaying(true); tick(now); });
  }

  window.player = { // for those who embed or test the page
    get frame() { return frameNow(); },
    get playing() { return state.playing; },
    frames, setFrame, show, play: () => setPlaying(true), pause: () => setFrame(frameNow()),
    position: (clip, joint) => new T.Vector3().setFromMatrixPosition(clips[clip].nodes[joint].matrixWorld).toArray(),
  };
  start().then(() => { window.player.ready = true; }, (error) => { find("message").textContent = `cannot show this page: ${error.message}`; throw error; });
})();
