#version 330 core
// How much of the sky balls hide from the floor: for each (r / d)^2 times the cosine of where it stands
// (Inigo Quilez, "Sphere ambient occlusion"); balls at the floor darken it most.
in vec3 place;

uniform vec4 balls[28];  // centre and radius
uniform int count;
uniform float strength;
uniform vec3 middle;
uniform float reach;

out vec4 pixel;

void main()
{
    float open = 1.0;
    for (int i = 0; i < count; i++) {
        vec3 way = balls[i].xyz - place;
        float square = max(dot(way, way), 1e-9);
        float size = balls[i].w * balls[i].w;
        open *= 1.0 - 0.85 * clamp(max(way.y, 0.25 * balls[i].w) * size / (square * sqrt(square)), 0.0, 1.0);
    }
    float edge = 1.0 - smoothstep(0.6, 1.0, length(place.xz - middle.xz) / reach);
    pixel = vec4(0.10, 0.11, 0.14, strength * edge * (1.0 - open));
}
