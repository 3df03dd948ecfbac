#version 330 core
// What lies on the floor: in its own coordinates, stretched and moved. Heights say how far across a line a point is.
layout(location = 0) in vec3 position;

uniform vec3 shift;
uniform float stretch;
uniform mat4 project;

out vec3 place;
out float across;

void main()
{
    across = position.y;
    place = stretch * vec3(position.x, 0.0, position.z) + shift;
    gl_Position = project * vec4(place, 1.0);
}
