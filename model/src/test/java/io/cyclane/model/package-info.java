/** Tests of encoders as their users meet them. */
package io.cyclane.model;
