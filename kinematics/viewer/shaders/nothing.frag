#version 330 core
// Depth alone is kept.
void main()
{
}
